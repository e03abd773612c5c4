//! Expressions with types and unknowns, made by chance, the same each time: every function of Terraform with arguments of
//! the types that it takes, and now and then of another one.

use std::collections::BTreeSet;

/// Expressions for each function.
const EACH: usize = 15;

/// Expressions without a function at the top.
const OTHERS: usize = 250;

/// Deeper expressions are leaves.
const DEPTH: usize = 3;

/// The functions: name, what they take, what they give. A parameter that ends in `+` may come several times or not at all.
///
/// `s` string, `n` number, `i` small whole number, `b` bool, `[s]` `[n]` `[b]` `[*]` lists or tuples, `{s}` `{n}` `{*}` sets,
/// `m` map or object of strings, `ml` of lists, `o` any map or object, `*` anything, the others a string of some form.
const FUNCTIONS: &str = "
abs n>n
alltrue [b]>b
anytrue [b]>b
base64decode b64>s
base64encode s>s
base64sha256 s>s
base64sha512 s>s
basename path>s
bcrypt s>s
can *>b
ceil n>n
chomp s>s
chunklist [*] i>[*]
cidrhost cidr i>s
cidrnetmask cidr>s
cidrsubnet cidr i i>s
cidrsubnets cidr i i+>[s]
coalesce * * *+>*
coalescelist [*] [*]>[*]
compact [s]>[s]
concat [*] [*] [*]+>[*]
contains [*] *>b
csvdecode csv>[*]
dirname path>s
distinct [*]>[*]
element [*] i>*
endswith s s>b
ephemeralasnull *>*
flatten [*]>[*]
floor n>n
format fmt * *+>s
formatdate datefmt time>s
formatlist fmt [*] *+>[s]
indent i s>s
index [*] *>n
issensitive *>b
join s [s] [s]+>s
jsondecode json>*
jsonencode *>s
keys o>[s]
length *>n
log n n>n
lookup m s s+>s
lower s>s
matchkeys [*] [s] [s]>[*]
max n n+>n
md5 s>s
merge o o+>o
min n n+>n
nonsensitive *>*
one [*]>*
parseint s i>n
pathexpand path>s
pow n i>n
range i i+>[n]
regex re s>*
regexall re s>[*]
replace s s s>s
reverse [*]>[*]
setintersection {*} {*}+>{*}
setproduct [*] [*] [*]+>[*]
setsubtract {*} {*}>{*}
setunion {*} {*}+>{*}
sha1 s>s
sha256 s>s
sha512 s>s
signum n>n
slice [*] i i>[*]
sort [s]>[s]
split s s>[s]
startswith s s>b
strcontains s s>b
strrev s>s
substr s i i>s
sum [n]>n
textdecodebase64 b64 charset>s
textencodebase64 s charset>s
timeadd time dur>s
timecmp time time>n
timestamp>s
title s>s
tobool *>b
tolist [*]>[*]
tomap o>o
tonumber *>n
toset [*]>{*}
tostring *>s
transpose ml>ml
trim s s>s
trimprefix s s>s
trimspace s>s
trimsuffix s s>s
try * *+>*
upper s>s
urlencode s>s
uuid>s
uuidv5 ns s>s
values o>[*]
yamldecode yaml>*
yamlencode *>s
zipmap [s] [*]>o
";

/// Literals of strings by form.
const FORMS: &[(&str, &[&str])] = &[
    (
        "s",
        &[
            "", "a", "b", "abc", "a,b,c", "A b-C_d", "  x ", "é", "ß", "true", "1", "0.5", "x\\ny\\n", "<&>",
            "日本", "a-b",
        ],
    ),
    ("b64", &["", "YQ==", "aGVsbG8=", "/w==", "YQDpAA==", "not base64"]),
    (
        "cidr",
        &[
            "10.0.0.0/16",
            "192.168.1.0/24",
            "2001:db8::/32",
            "0.0.0.0/0",
            "10.0.0.1/32",
            "fe80::/10",
            "10.0.0.0",
        ],
    ),
    ("csv", &["a,b\\n1,2\\n", "a\\n", "a,b\\n\\\"x\\\"\\\"\\\",2\\n3,4", "a,a\\n1,2", "a,b\\n1"]),
    (
        "datefmt",
        &[
            "YYYY-MM-DD",
            "EEE, DD MMM YY hh:mm:ss ZZZ",
            "HH:mm AA 'on' D/M",
            "Z ZZZZ ZZZZZ",
            "EEEE MMMM 'o''clock'",
            "x",
        ],
    ),
    ("dur", &["1h", "-90m", "1h30m5s", "500ms", "1.5h", "1d", "2540400h", "-0s"]),
    (
        "fmt",
        &[
            "%s",
            "%v-%v",
            "%d%%",
            "%q",
            "%05.1f",
            "%-6s|",
            "%#v",
            "%t",
            "x",
            "%[2]s %[1]s",
            "%x",
            "%e",
            "%+d",
            "%s %s",
        ],
    ),
    (
        "json",
        &[
            "{}",
            "[]",
            "null",
            "1.50",
            "{\\\"a\\\":[1,null,\\\"x\\\"],\\\"b\\\":{}}",
            "\\\"\\\\u00e9\\\"",
            "{\\\"a\\\":1,\\\"a\\\":2}",
            "[1,]",
            "true",
        ],
    ),
    ("ns", &["dns", "url", "oid", "x500", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "nope"]),
    ("path", &["a/b.txt", "/", "", "./a//b/", "../x", "a", "/a/b/../c"]),
    (
        "re",
        &[
            "a",
            "[a-z]+",
            "(?P<k>[a-z])(?P<v>.)?",
            "(a)(b)?",
            "^$",
            "\\\\\\\\d+",
            "(?i)B",
            "(",
            "x*",
            "\\\\\\\\bb",
        ],
    ),
    ("charset", &["UTF-8", "UTF-16LE", "utf-16be", "UTF-16", "ISO-8859-1", "US-ASCII"]),
    (
        "time",
        &[
            "2024-02-29T12:30:45Z",
            "1999-12-31T23:59:59+02:00",
            "2006-01-02T15:04:05-07:00",
            "0001-01-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "today",
        ],
    ),
    (
        "yaml",
        &[
            "a: 1",
            "- x\\n- y",
            "{a: [b, c]}",
            "~",
            "yes",
            "a: &x 1\\nb: *x",
            "a: |\\n  t\\n",
            "[",
            "2001-01-01",
        ],
    ),
];

struct Function {
    name: &'static str,
    params: Vec<&'static str>,
    result: &'static str,
}

struct Generator {
    chance: Chance,
    functions: Vec<Function>,
}

/// Numbers that look like chance and are the same each time.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % below
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.next(n) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.next(of.len())]
    }
}

/// The whole file of expressions.
pub(crate) fn all() -> String {
    let mut generator = Generator { chance: Chance::new(0x9e37_79b9_7f4a_7c15), functions: functions() };
    let mut seen = BTreeSet::new();
    let mut out = String::from(
        "# Expressions made by `cargo xtask truth`; do not edit. generated.jsonl holds what Terraform 1.11 makes of them.\n",
    );
    let mut add = |expression: String| {
        if expression.len() < 400 && seen.insert(expression.clone()) {
            out.push_str(&expression);
            out.push('\n');
        }
    };
    for index in 0..generator.functions.len() {
        for _ in 0..EACH {
            let call = generator.call(index, 1);
            // Whether it can be null is known of an unknown result, and shows only here.
            add(if generator.chance.one_in(6) { format!("{call} == null") } else { call });
        }
    }
    for _ in 0..OTHERS {
        let ty = generator.chance.pick(&["s", "n", "b", "[s]", "[*]", "{s}", "o", "*"]);
        add(generator.value(ty, 0));
    }
    out
}

fn functions() -> Vec<Function> {
    let lines = FUNCTIONS.lines().filter(|line| !line.is_empty());
    lines
        .filter_map(|line| {
            let (call, result) = line.split_once('>')?;
            let mut words = call.split(' ');
            Some(Function { name: words.next()?, params: words.collect(), result })
        })
        .collect()
}

impl Generator {
    fn call(&mut self, index: usize, depth: usize) -> String {
        let (name, params) = (self.functions[index].name, self.functions[index].params.clone());
        let mut args = Vec::new();
        for param in params {
            match param.strip_suffix('+') {
                Some(param) => (0..self.chance.next(3)).for_each(|_| args.push(self.value(param, depth))),
                // Now and then what the function does not take.
                None if self.chance.one_in(25) => args.push(self.value("*", depth)),
                None => args.push(self.value(param, depth)),
            }
        }
        // Terraform 1.11 crashes at a negative index.
        if name == "element" {
            args.truncate(1);
            args.push(self.chance.next(4).to_string());
        }
        format!("{name}({})", args.join(", "))
    }

    /// A call of a function that gives a `ty`.
    fn call_of(&mut self, ty: &str, depth: usize) -> Option<String> {
        let fitting: Vec<usize> =
            (0..self.functions.len()).filter(|index| self.functions[*index].result == ty).collect();
        if fitting.is_empty() {
            return None;
        }
        let index = self.chance.pick(&fitting);
        Some(self.call(index, depth))
    }

    fn value(&mut self, ty: &str, depth: usize) -> String {
        if self.chance.one_in(60) {
            return "null".to_owned();
        }
        if depth < DEPTH {
            let deeper = depth + 1;
            match self.chance.next(12) {
                0 | 1 => {
                    if let Some(call) = self.call_of(ty, deeper) {
                        return call;
                    }
                }
                2 => {
                    let condition = self.value("b", deeper);
                    return format!(
                        "({condition} ? {} : {})",
                        self.value(ty, deeper),
                        self.value(ty, deeper)
                    );
                }
                _ => {}
            }
        }
        match ty {
            "n" => self.number(depth),
            "i" => self.chance.pick(&["0", "1", "2", "3", "8", "10", "16", "-1", "1.5"]).to_owned(),
            "b" => self.boolean(depth),
            "m" => self.map("s", depth),
            "ml" => self.map("[s]", depth),
            "o" => {
                let of = self.chance.pick(&["s", "n", "*"]);
                self.map(of, depth)
            }
            "*" => {
                let of = self.chance.pick(&["s", "s", "n", "b", "[s]", "[n]", "[*]", "{s}", "{n}", "m", "o"]);
                self.value(of, depth)
            }
            _ => match (ty.strip_prefix('['), ty.strip_prefix('{')) {
                (Some(inner), _) => self.list(inner.trim_end_matches(']'), depth),
                (_, Some(inner)) => {
                    let inner = if inner == "*}" {
                        self.chance.pick(&["s", "s", "n"])
                    } else {
                        inner.trim_end_matches('}')
                    };
                    format!("toset({})", self.tuple(inner, depth))
                }
                _ => self.string(ty, depth),
            },
        }
    }

    fn string(&mut self, form: &str, depth: usize) -> String {
        let literals = FORMS.iter().find(|(name, _)| *name == form).map_or(&[][..], |(_, literals)| literals);
        let literal = self.chance.pick(literals);
        match self.chance.next(14) {
            0 | 1 => "unk".to_owned(),
            2 if form == "s" => format!("\"{literal}-${{unk}}\""),
            3 if form == "s" && depth < DEPTH => {
                format!("\"{literal}${{{}}}\"", self.value("s", depth + 1))
            }
            4 if form == "s" && depth < DEPTH => {
                let list = self.value("[s]", depth + 1);
                format!("\"%{{ for x in {list} }}${{x}};%{{ endfor }}\"")
            }
            5 if form == "s" && depth < DEPTH => format!("{}[0]", self.value("[s]", depth + 1)),
            _ => format!("\"{literal}\""),
        }
    }

    fn number(&mut self, depth: usize) -> String {
        if depth < DEPTH && self.chance.one_in(5) {
            let op = self.chance.pick(&["+", "-", "*"]);
            return format!("({} {op} {})", self.value("n", depth + 1), self.value("n", depth + 1));
        }
        self.chance
            .pick(&[
                "0",
                "1",
                "2",
                "10",
                "-3",
                "0.1",
                "2.5",
                "-0.75",
                "1e3",
                "123456789012",
                "length(unk)",
                "\"7\"",
            ])
            .to_owned()
    }

    fn boolean(&mut self, depth: usize) -> String {
        if depth < DEPTH {
            match self.chance.next(6) {
                0 => {
                    let op = self.chance.pick(&["==", "!="]);
                    return format!("({} {op} {})", self.value("*", depth + 1), self.value("*", depth + 1));
                }
                1 => {
                    let op = self.chance.pick(&["<", ">=", "<=", ">"]);
                    return format!("({} {op} {})", self.value("n", depth + 1), self.value("n", depth + 1));
                }
                2 => {
                    let op = self.chance.pick(&["&&", "||"]);
                    return format!("({} {op} {})", self.value("b", depth + 1), self.value("b", depth + 1));
                }
                _ => {}
            }
        }
        self.chance
            .pick(&["true", "false", "true", "false", "(unk == \"x\")", "!true", "\"true\""])
            .to_owned()
    }

    fn tuple(&mut self, of: &str, depth: usize) -> String {
        let items: Vec<String> = (0..self.chance.next(4)).map(|_| self.value(of, depth + 1)).collect();
        format!("[{}]", items.join(", "))
    }

    fn list(&mut self, of: &str, depth: usize) -> String {
        match self.chance.next(8) {
            0 => format!("tolist({})", self.tuple(of, depth)),
            1 if depth < DEPTH => {
                let body = self.chance.pick(&["x", "upper(x)", "[x]", "{ k = x }"]);
                let condition = self.chance.pick(&["", " if x != \"a\"", " if x != null"]);
                format!("[for x in {} : {body}{condition}]", self.value("[s]", depth + 1))
            }
            2 if of == "s" || of == "*" => "split(\",\", unk)".to_owned(),
            3 if depth < DEPTH => format!("{}[*]", self.value("[*]", depth + 1)),
            _ => self.tuple(of, depth),
        }
    }

    fn map(&mut self, of: &str, depth: usize) -> String {
        let mut entries = Vec::new();
        for key in ["a", "b", "\"c d\""] {
            if !self.chance.one_in(3) {
                entries.push(format!("{key} = {}", self.value(of, depth + 1)));
            }
        }
        if self.chance.one_in(15) {
            entries.push(format!("(unk) = {}", self.value(of, depth + 1)));
        }
        let object =
            if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) };
        match self.chance.next(6) {
            0 => format!("tomap({object})"),
            1 if depth < DEPTH => {
                let body = self.chance.pick(&["k => v", "upper(k) => v", "k => k", "v => k..."]);
                format!("{{ for k, v in {object} : {body} }}")
            }
            _ => object,
        }
    }
}
