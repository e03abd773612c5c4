//! Times: RFC 3339 text, durations, and the letters of `formatdate`.

use super::call::{Call, Outcome, string};
use crate::value::Value;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

const NANOS: i128 = 1_000_000_000;

/// A point in time, and the offset from UTC that it is told in.
struct Time {
    /// Nanoseconds since 1970 in UTC.
    nanos: i128,
    /// Minutes east of UTC.
    offset: i64,
}

/// A time as people read it.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// Days since Thursday, 1 January 1970.
    days: i64,
}

/// Days from 1970 to a date, by counting 400-year cycles that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// How many days a month has; months are counted from 1.
pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Time {
    fn parse(text: &str) -> Result<Self, String> {
        Self::read(text).ok_or_else(|| format!("{text:?} is not a time of RFC 3339"))
    }

    fn read(text: &str) -> Option<Self> {
        let part = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let is = |at: usize, byte: u8| text.as_bytes().get(at) == Some(&byte);
        if !(is(4, b'-') && is(7, b'-') && is(10, b'T') && is(13, b':') && is(16, b':')) {
            return None;
        }
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
        let real = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        if !real || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut rest = text.get(19..)?;
        let mut fraction = 0;
        if let Some(after) = rest.strip_prefix('.') {
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            let digits = after.get(..after.len() - rest.len()).filter(|digits| !digits.is_empty())?;
            fraction = format!("{digits:0<9}").get(..9)?.parse().ok()?;
        }
        let offset = if rest == "Z" {
            0
        } else {
            let sign = match rest.as_bytes() {
                [b'+', _, _, b':', _, _] => 1,
                [b'-', _, _, b':', _, _] => -1,
                _ => return None,
            };
            let at = text.len() - rest.len();
            let (hours, minutes) = (part(at + 1, at + 3)?, part(at + 4, at + 6)?);
            if hours > 24 || minutes > 59 {
                return None;
            }
            sign * (hours * 60 + minutes)
        };
        let seconds =
            days_from_civil(year, month, day) * 86_400 + hour * 3600 + (minute - offset) * 60 + second;
        Some(Self { nanos: i128::from(seconds) * NANOS + i128::from(fraction), offset })
    }

    fn civil(&self) -> Civil {
        let seconds = self.nanos.div_euclid(NANOS) + i128::from(self.offset * 60);
        let seconds = i64::try_from(seconds).unwrap_or(0);
        let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let month = (shifted_month + 2) % 12 + 1;
        Civil {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month,
            day: of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: time / 3600,
            minute: time / 60 % 60,
            second: time % 60,
            days,
        }
    }

    /// The offset as `+01:00`.
    fn zone(&self, separator: &str) -> String {
        let minutes = self.offset.abs();
        let sign = if self.offset < 0 { '-' } else { '+' };
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }
}

pub(super) fn timeadd(call: &Call<'_>) -> Outcome {
    let mut time = Time::parse(call.text(0))?;
    time.nanos += duration(call.text(1))?;
    let zone = if time.offset == 0 { "Z".to_owned() } else { time.zone(":") };
    let civil = time.civil();
    Ok(Value::string(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
        civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
    )))
}

pub(super) fn timecmp(call: &Call<'_>) -> Outcome {
    let (a, b) = (Time::parse(call.text(0))?, Time::parse(call.text(1))?);
    Ok(Value::int(a.nanos.cmp(&b.nanos) as i64))
}

/// `1h30m0.5s` in nanoseconds.
fn duration(text: &str) -> Result<i128, String> {
    let wrong = || format!("{text:?} is not a duration");
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(0);
    }
    let mut sum = 0_i128;
    let mut rest = unsigned;
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let amount = rest.get(..rest.len() - after.len()).ok_or_else(wrong)?;
        let units = [
            ("ns", 1),
            ("us", 1000),
            ("µs", 1000),
            ("μs", 1000),
            ("ms", 1_000_000),
            ("s", NANOS),
            ("m", 60 * NANOS),
            ("h", 3600 * NANOS),
        ];
        let unit = units.iter().find_map(|(name, nanos)| Some((after.strip_prefix(name)?, nanos)));
        let (after, unit) = unit.ok_or_else(wrong)?;
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || digits.len() > 18 {
            return Err(wrong());
        }
        let scale = 10_i128.pow(u32::try_from(fraction.len()).unwrap_or(0));
        sum += digits.parse::<i128>().map_err(|_| wrong())? * unit / scale;
        rest = after;
    }
    if unsigned.is_empty() || sum > i128::from(i64::MAX) {
        return Err(wrong());
    }
    Ok(if text.starts_with('-') { -sum } else { sum })
}

pub(super) fn formatdate(call: &Call<'_>) -> Outcome {
    let time = Time::parse(call.text(1))?;
    let civil = time.civil();
    let mut out = String::new();
    let mut rest = call.text(0);
    while let Some(c) = rest.chars().next() {
        if c == '\'' {
            rest = quoted(rest.get(1..).unwrap_or_default(), &mut out)?;
            continue;
        }
        let after = rest.trim_start_matches(c);
        let run = rest.get(..rest.len() - after.len()).unwrap_or_default();
        if c.is_ascii_alphabetic() {
            out.push_str(&letters(run, &civil, &time)?);
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    Ok(string(out))
}

/// Text after an opening quote, and what follows the closing one; two quotes are one.
fn quoted<'t>(mut rest: &'t str, out: &mut String) -> Result<&'t str, String> {
    loop {
        let (text, after) = rest.split_once('\'').ok_or("a quote in the format is not closed")?;
        out.push_str(text);
        match after.strip_prefix('\'') {
            Some(after) => {
                out.push('\'');
                rest = after;
            }
            None => return Ok(after),
        }
    }
}

fn letters(run: &str, civil: &Civil, time: &Time) -> Result<String, String> {
    let name = |names: &[&str], index: i64| -> String {
        let name = usize::try_from(index).ok().and_then(|index| names.get(index));
        name.copied().unwrap_or_default().to_owned()
    };
    let short = |name: String| name.get(..3).unwrap_or_default().to_owned();
    let weekday = || name(&WEEKDAYS, civil.days.rem_euclid(7));
    let twelve = (civil.hour + 11) % 12 + 1;
    Ok(match run {
        "YYYY" => format!("{:04}", civil.year),
        "YY" => format!("{:02}", civil.year % 100),
        "MMMM" => name(&MONTHS, civil.month - 1),
        "MMM" => short(name(&MONTHS, civil.month - 1)),
        "MM" => format!("{:02}", civil.month),
        "M" => civil.month.to_string(),
        "DD" => format!("{:02}", civil.day),
        "D" => civil.day.to_string(),
        "EEEE" => weekday(),
        "EEE" => short(weekday()),
        "hh" => format!("{:02}", civil.hour),
        "h" => civil.hour.to_string(),
        "HH" => format!("{twelve:02}"),
        "H" => twelve.to_string(),
        "AA" => if civil.hour < 12 { "AM" } else { "PM" }.to_owned(),
        "aa" => if civil.hour < 12 { "am" } else { "pm" }.to_owned(),
        "mm" => format!("{:02}", civil.minute),
        "m" => civil.minute.to_string(),
        "ss" => format!("{:02}", civil.second),
        "s" => civil.second.to_string(),
        "ZZZZZ" => time.zone(":"),
        "ZZZ" if time.offset == 0 => "UTC".to_owned(),
        "ZZZZ" | "ZZZ" => time.zone(""),
        "Z" if time.offset == 0 => "Z".to_owned(),
        "Z" => time.zone(":"),
        _ => return Err(format!("{run:?} means nothing in a date format")),
    })
}
