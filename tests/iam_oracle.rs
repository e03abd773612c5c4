//! What airgate says of policies against what libraries say: `fixtures/iam`, written by `tools/iam-oracle`. Each disagreement
//! belongs to a class that is decided with the documentation of AWS (docs/iam.md), and no class is empty.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use airgate::iam::context::Context;
use airgate::iam::document::Statement;
use airgate::iam::effective::{Held, Kind, Request, Verdict, Who, may, ways};
use airgate::iam::{Effect, Policy, Text, arn, escalation, pattern};
use airgate::value::Value;
use serde_json::Value as Json;

fn lines(name: &str) -> Vec<Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/iam").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn policy(json: &Json) -> Policy {
    Policy::read(&Value::string(json.to_string()))
}

fn texts(value: &Json) -> Vec<&str> {
    match value {
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

const ACCOUNT: &str = "111122223333";

/// One request of a case, with what is asked and what everybody says.
struct Asked<'c> {
    case: &'c Json,
    principal: String,
    action: &'c str,
    resource: &'c str,
    context: &'c Json,
    /// Of iam-simulate, Principal Mapper and Moto: `a` allowed, `d` denied, `x` explicitly denied, `-` no answer.
    theirs: Vec<char>,
}

impl Asked<'_> {
    fn ours(&self) -> char {
        let mut context = Context::whole();
        for (key, value) in self.context.as_object().unwrap() {
            for value in texts(value) {
                context.add(key, value);
            }
        }
        let of = |json: &Json| context.apply(&policy(json));
        let mut policies: Vec<(Kind, Policy)> =
            self.case["identity"].as_array().unwrap().iter().map(|it| (Kind::Identity, of(it))).collect();
        let is_user = self.principal.contains(":user/");
        let boundary = if is_user { Kind::UserBoundary } else { Kind::Boundary };
        policies.extend(self.case.get("boundary").map(|it| (boundary, of(it))));
        // Policies of an organisation at one place allow together, and the first allows everything.
        if let Some(all) = self.case.get("organisation").and_then(Json::as_array) {
            let mut all = all.iter().map(of);
            let mut first = all.next().unwrap();
            all.for_each(|it| {
                first.alternatives[0].statements.extend(it.alternatives[0].statements.iter().cloned());
            });
            policies.push((Kind::Guard, first));
        }
        policies.extend(self.case.get("resource").map(|it| (Kind::Resource, of(it))));
        let held: Vec<Held<'_>> =
            policies.iter().map(|(kind, policy)| Held { policy, kind: *kind, doubt: None }).collect();
        let names = |statement: &Statement| {
            statement.is_about("AWS", |text| {
                let account = text.as_str() == Some(ACCOUNT) || text.suffix() == format!("{ACCOUNT}:root");
                let denies = statement.effect == Ok(Effect::Deny);
                Ok(text.as_str() == Some(&self.principal) || account && denies)
            })
        };
        let request =
            Request { action: Text::Known(self.action.into()), resource: Text::Known(self.resource.into()) };
        let who = Who { names: &names, delegates: &|_| Ok(true) };
        // A session has what the role has and its policy allows, however the role has it.
        let session = self.case.get("session").map(of);
        let of_session = session.as_ref().is_none_or(|policy| {
            let held = [Held { policy, kind: Kind::Identity, doubt: None }];
            may(&held, &request, &who).verdict == Verdict::Yes
        });
        match may(&held, &request, &who).verdict {
            Verdict::Yes if of_session => 'a',
            Verdict::Yes => 'd',
            Verdict::No => 'd',
            Verdict::OnlyIf(_) | Verdict::Undetermined(_) => '?',
        }
    }
}

/// Every pattern of a resource in the case.
fn patterns(case: &Json, out: &mut Vec<String>) {
    match case {
        Json::Array(items) => items.iter().for_each(|item| patterns(item, out)),
        Json::Object(members) => {
            for (name, value) in members {
                match name.as_str() {
                    "Resource" | "NotResource" => out.extend(texts(value).into_iter().map(ToOwned::to_owned)),
                    "asked" => {}
                    _ => patterns(value, out),
                }
            }
        }
        _ => {}
    }
}

/// A reason, and whether it is that of an answer.
type Class = (&'static str, fn(&Asked<'_>) -> bool);

/// Why iam-simulate says something else than airgate, each decided with the documentation of AWS in docs/iam.md.
const CLASSES: [Class; 3] = [
    ("`NotPrincipal` with an account, of others in it", |asked| {
        let policy = asked.case.get("resource").map(Json::to_string).unwrap_or_default();
        policy.contains("NotPrincipal") && !policy.contains("0.0.0.0/0")
    }),
    ("a range of every address", |asked| {
        asked.case.to_string().contains("0.0.0.0/0") && asked.context.get("aws:SourceIp").is_some()
    }),
    ("a wildcard where an ARN has the type of its resource", |asked| {
        let mut all = Vec::new();
        patterns(asked.case, &mut all);
        let is_one = |pattern: &String| {
            let last = pattern.splitn(6, ':').nth(5).unwrap_or_default();
            let kind = last.split_once(['/', ':']).map_or("", |(kind, _)| kind);
            kind.contains(['*', '?']) && pattern::glob(pattern, asked.resource)
        };
        all.iter().any(is_one)
    }),
];

#[test]
fn decides_as_the_simulators_do() {
    let cases = lines("decisions.jsonl");
    let mut wrong = Vec::new();
    let (mut agreed, mut explained, mut alone) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let names = ["iam-simulate", "Principal Mapper", "Moto"];
    for (number, case) in cases.iter().enumerate() {
        for asked in case["asked"].as_array().unwrap() {
            let text = |at: usize| asked[at].as_str().unwrap();
            let kind = if text(0) == "eve" { "user" } else { "role" };
            let asked = Asked {
                case,
                principal: format!("arn:aws:iam::{ACCOUNT}:{kind}/{}", text(0)),
                action: text(1),
                resource: text(2),
                context: &asked[3],
                theirs: text(4).chars().collect(),
            };
            let ours = asked.ours();
            let told = |theirs: char| if theirs == 'x' { 'd' } else { theirs };
            let first = told(asked.theirs[0]);
            let class = || CLASSES.iter().find(|(_, is_it)| is_it(&asked)).map(|(class, _)| *class);
            for (name, theirs) in names.iter().zip(&asked.theirs) {
                let theirs = told(*theirs);
                if theirs == '-' {
                    continue;
                }
                if theirs == ours {
                    *agreed.entry(*name).or_insert(0) += 1;
                } else if *name != names[0] && first == ours {
                    *alone.entry(*name).or_insert(0) += 1;
                } else if let Some(class) = class() {
                    *explained.entry(class).or_insert(0) += 1;
                } else {
                    wrong.push(format!(
                        "{name} {theirs} ours {ours}: case {number} {} {} {} {}",
                        asked.principal, asked.action, asked.resource, asked.context
                    ));
                }
            }
        }
    }
    println!("agreed: {agreed:?}\nexplained: {explained:?}\nagainst us and iam-simulate: {alone:?}");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(agreed[names[0]] > 2300);
    assert_eq!(explained.len(), CLASSES.len(), "a class that explains nothing goes");
}

/// `1-3,5`
fn indexes(text: &str) -> BTreeSet<usize> {
    let ranges = text.split(',').filter(|it| !it.is_empty());
    ranges
        .flat_map(|range| {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            from.parse::<usize>().unwrap()..=to.parse().unwrap()
        })
        .collect()
}

#[test]
fn expands_actions_as_the_libraries_do() {
    let mut lines = lines("expansion.jsonl").into_iter();
    let known = lines.next().unwrap();
    let actions = texts(&known["actions"]);
    let (mut agreed, mut unread) = (BTreeMap::new(), BTreeMap::new());
    let mut wrong = Vec::new();
    for line in lines {
        let pattern = line["pattern"].as_str().unwrap();
        for name in ["policy_sentry", "policyuniverse", "parliament"] {
            let Some(theirs) = line.get(name).and_then(Json::as_str) else { continue };
            let universe = indexes(known[name].as_str().unwrap());
            let ours: BTreeSet<usize> =
                universe.into_iter().filter(|&at| pattern::action_covers(pattern, actions[at])).collect();
            let theirs = indexes(theirs);
            // What each does not read: other letters and wildcards before the colon, and `?`.
            let prefix = pattern.split(':').next().unwrap_or_default();
            let is_unread = match name {
                "policy_sentry" => {
                    let odd = prefix.contains('*') || prefix.bytes().any(|byte| byte.is_ascii_uppercase());
                    pattern != "*" && odd || pattern.contains('?')
                }
                "parliament" => prefix.contains('?'),
                _ => false,
            };
            if ours == theirs {
                *agreed.entry(name).or_insert(0) += 1;
            } else if is_unread {
                assert!(theirs.is_subset(&ours), "{name} {pattern}");
                *unread.entry(name).or_insert(0) += 1;
            } else {
                wrong.push(format!("{name} {pattern}: ours {} theirs {}", ours.len(), theirs.len()));
            }
        }
    }
    println!("agreed: {agreed:?}\nnot read by them: {unread:?}");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn patterns_meet_where_parliament_says_so() {
    let mut counts = [0; 2];
    for line in lines("overlaps.jsonl") {
        let (a, b, theirs) =
            (line[0].as_str().unwrap(), line[1].as_str().unwrap(), line[2].as_bool().unwrap());
        assert_eq!(pattern::intersects(a, b), Some(theirs), "{a} {b}");
        counts[usize::from(theirs)] += 1;
    }
    println!("{} pairs meet, {} do not", counts[1], counts[0]);
    assert!(counts.iter().all(|&count| count > 100));
}

#[test]
fn finds_the_escalations_that_cloudsplaining_finds() {
    let mut lines = lines("escalations.jsonl").into_iter();
    let methods = lines.next().unwrap()["methods"].clone();
    let all = ["pass-role", "take-over", "credentials", "tampering"];
    // A method is one of ours if it needs the same actions.
    let same = |actions: &[&str], way: &escalation::Escalation| {
        let is = |one: &str| actions.iter().any(|action| action.eq_ignore_ascii_case(one));
        way.actions.len() == actions.len() && way.actions.iter().all(|group| group.iter().any(|one| is(one)))
    };
    let of: BTreeMap<&str, &escalation::Escalation> = methods
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(name, actions)| {
            let actions = texts(actions);
            Some((name.as_str(), escalation::of(&all).find(|way| same(&actions, way))?))
        })
        .collect();
    let (mut agreed, mut found, mut explained) = (0, 0, 0);
    let mut wrong = Vec::new();
    for line in lines {
        let document = policy(&line["policy"]);
        let held = [Held { policy: &document, kind: Kind::Identity, doubt: None }];
        let nobody: &dyn Fn(&Statement) -> airgate::iam::told::Told = &|_| Ok(false);
        let who = Who { names: nobody, delegates: nobody };
        let allowed = |action: &str| {
            let request = Request { action: Text::Known(action.into()), resource: Text::Known("*".into()) };
            let wide = |on: &Text| arn::is_every_resource(on) == Ok(true);
            ways(&held, &request, &who).iter().any(|way| way.verdict == Verdict::Yes && wide(&way.on))
        };
        let theirs = texts(&line["found"]);
        // It does not read `?`; it denies only what is written in the letters of AWS, and takes a resource that an action does
        // not have for every resource.
        let text = line["policy"].to_string();
        let is_explained = |ours: bool| {
            if ours { text.contains('?') } else { text.contains("Deny") || text.contains("role/one") }
        };
        for (name, way) in &of {
            let ours = way.actions.iter().all(|group| {
                let those = texts(&methods[name]);
                group.iter().any(|one| those.iter().any(|it| it.eq_ignore_ascii_case(one)) && allowed(one))
            });
            found += usize::from(ours);
            if ours == theirs.contains(name) {
                agreed += 1;
            } else if is_explained(ours) {
                explained += 1;
            } else {
                wrong.push(format!("{name}: ours {ours}: {}", line["policy"]));
            }
        }
    }
    println!(
        "{} of {} methods, {agreed} answers agree, {explained} explained, {found} found",
        of.len(),
        methods.as_object().unwrap().len()
    );
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
