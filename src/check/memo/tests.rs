//! Of toy resources: how often a condition is evaluated, and that what is remembered is what evaluating gives.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::question::{Asked, MAX_MISSES, Question};
use super::reads::{Demands, Reads};
use super::*;
use crate::check::ask::decide;
use crate::hcl;
use crate::source::{Site, Sources, Span};
use crate::value::{Cause, Truth, Value};

/// A resource with these attributes; `twice` and `same` are functions, and nothing is the `same` as anything.
struct Toy(BTreeMap<&'static str, Value>);

impl Scope for Toy {
    fn lookup(&self, _root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
        let name = attrs.first().ok_or("no name")?;
        self.0.get(name).cloned().map(|value| (value, 1)).ok_or_else(|| format!("no {name}"))
    }

    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let twice = || Value::string(args.first().and_then(Value::as_str).unwrap_or_default().repeat(2));
        match name {
            "twice" => Some(Ok(twice())),
            "related" => self.0.get("blocks").cloned().map(Ok),
            "same" => Some(Ok(Value { origin: args.first()?.origin, ..Value::bool(false) })),
            _ => None,
        }
    }
}

fn toy<const N: usize>(attributes: [(&'static str, Value); N]) -> Toy {
    Toy(attributes.into_iter().collect())
}

fn file() -> FileId {
    Sources::default().add("rules", "")
}

/// How often the condition is evaluated, and what it comes to: of each resource in turn.
fn ask(condition: &str, toys: &[Toy]) -> (usize, Vec<Truth>) {
    let (arena, evaluated) = (bumpalo::Bump::new(), Cell::new(0));
    let (expr, diagnostics) = hcl::parse_expression(condition, file(), &arena);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let mut memo = Memo::default();
    let truths = toys.iter().map(|toy| {
        memo.turn();
        let evaluate = |scope: &dyn Scope| {
            evaluated.set(evaluated.get() + 1);
            decide(&expr, file(), scope)
        };
        let told = memo.decide((0, Condition::Require, &expr), file(), toy, evaluate);
        let naive = decide(&expr, file(), toy);
        assert_eq!((told.truth, &told.causes), (naive.truth, &naive.causes), "{condition}");
        told.truth
    });
    let truths = truths.collect();
    (evaluated.get(), truths)
}

#[test]
fn what_is_alike_is_evaluated_once() {
    let of = |a: &str, b: i64| toy([("a", Value::string(a)), ("b", Value::int(b))]);
    let toys = [of("x", 1), of("x", 1), of("x", 2), of("y", 3), of("y", 4), of("x", 2)];
    // Of what is no `x` nobody asks for `b`.
    let (evaluated, truths) = ask("self.a == \"x\" && self.b == 1", &toys);
    assert_eq!(evaluated, 3);
    assert_eq!(truths, [Truth::Yes, Truth::Yes, Truth::No, Truth::No, Truth::No, Truth::No]);
    assert_eq!(ask("twice(self.a) == \"xx\"", &toys).0, 2);
    assert_eq!(ask("1 == 1", &toys).0, 1);
}

#[test]
fn an_unknown_is_told_by_all_that_is_known_of_it() {
    let unknown = |cause: &str| toy([("a", Value::unknown(Cause::Other(cause.into())))]);
    let toys = [unknown("one"), unknown("other"), unknown("one"), toy([("a", Value::NULL)])];
    let (evaluated, truths) = ask("self.a != null", &toys);
    assert_eq!((evaluated, truths), (3, vec![Truth::Maybe, Truth::Maybe, Truth::Maybe, Truth::No]));
}

#[test]
fn an_error_is_not_remembered() {
    let toys = [toy([]), toy([("a", Value::bool(true))]), toy([]), toy([("a", Value::bool(true))])];
    let (evaluated, truths) = ask("self.a", &toys);
    assert_eq!((evaluated, truths), (3, vec![Truth::Maybe, Truth::Yes, Truth::Maybe, Truth::Yes]));
}

/// Places in an input that is not the file of the rules.
fn place() -> impl Fn(u32) -> Site {
    let mut sources = Sources::default();
    sources.add("rules", "");
    let input = sources.add("plan.json", "");
    move |start| Span::new(start, start + 1).at(input)
}

/// How often the condition is evaluated, and that of each resource in turn its place is told.
fn places(condition: &str, toys: &[(Toy, Site)]) -> usize {
    let (arena, evaluated, mut memo) = (bumpalo::Bump::new(), Cell::new(0), Memo::default());
    let (expr, _) = hcl::parse_expression(condition, file(), &arena);
    for (toy, site) in toys {
        memo.turn();
        let evaluate = |scope: &dyn Scope| {
            evaluated.set(evaluated.get() + 1);
            decide(&expr, file(), scope)
        };
        let told = memo.decide((0, Condition::Require, &expr), file(), toy, evaluate);
        assert_eq!((told.truth, told.site), (Truth::No, Some(*site)), "{condition}");
    }
    evaluated.get()
}

#[test]
fn the_place_of_an_answer_is_that_of_the_resource() {
    let at = place();
    let no = |start| Value::bool(false).or_origin(at(start));
    let plain = [1, 5, 9].map(|start| (toy([("a", no(start))]), at(start)));
    assert_eq!(places("self.a", &plain), 1);
    let inside = [1, 5, 9].map(|start| (toy([("a", Value::tuple([no(20), no(start)]))]), at(start)));
    assert_eq!(places("self.a[1]", &inside), 1);
}

#[test]
fn a_place_that_several_answers_have_is_told_while_they_agree() {
    let at = place();
    let of = |a, b| {
        let no = |start| Value::bool(false).or_origin(at(start));
        (toy([("a", no(a)), ("b", no(b))]), at(b))
    };
    assert_eq!(places("[self.a, self.b][1]", &[of(1, 1), of(5, 5)]), 1);
    assert_eq!(places("[self.a, self.b][1]", &[of(1, 1), of(5, 7), of(9, 9)]), 2);
}

#[test]
fn the_place_of_an_argument_is_not_that_of_the_resource_that_was_asked_first() {
    let at = place();
    let toys = [1, 5, 9].map(|start| (toy([("a", Value::string("x").or_origin(at(start)))]), at(start)));
    assert_eq!(places("same(self.a)", &toys), 1);
}

#[test]
fn a_message_is_told_once_of_what_is_alike() {
    let toys = ["x", "x", "y", "x"].map(|a| toy([("a", Value::string(a))]));
    let (evaluated, mut memo) = (Cell::new(0), Memo::default());
    let texts = toys.iter().map(|toy| {
        memo.turn();
        memo.tell((0, Verdict::Fail), toy, |scope| {
            evaluated.set(evaluated.get() + 1);
            let found = scope.lookup("self", &["a"]);
            found.ok().and_then(|(value, _)| Some(SmolStr::from(value.as_str()?))).unwrap_or_default()
        })
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["x", "x", "y", "x"]);
    assert_eq!(evaluated.get(), 2);
}

#[test]
fn what_differs_everywhere_is_asked_in_vain_only_so_often() {
    let toys: Vec<Toy> = (0..500).map(|at| toy([("a", Value::int(at))])).collect();
    let (evaluated, truths) = ask("self.a >= 0", &toys);
    assert_eq!(evaluated, 500, "each is another");
    assert!(truths.iter().all(|truth| *truth == Truth::Yes));
    let asked = Asked::Lookup("self".into(), vec!["a".into()]);
    let mut question = Question::new(asked, Reads::Whole);
    let asked = toys.iter().zip(1..).filter(|(toy, turn)| {
        let before = question.misses;
        question.ask(*toy, *turn);
        question.misses > before
    });
    assert_eq!(asked.count(), MAX_MISSES);
}

/// A resource with a block of two attributes for each pair; `related` gives such blocks, and `twice` two of each.
fn blocks(pairs: &[(&str, i64)]) -> Toy {
    let block =
        |(a, b): &(&str, i64)| Value::object([("a".into(), Value::string(*a)), ("b".into(), Value::int(*b))]);
    toy([("blocks", Value::tuple(pairs.iter().map(block)))])
}

#[test]
fn what_a_condition_does_not_read_may_differ() {
    let toys: Vec<Toy> = (0..200).map(|at| blocks(&[("x", at), ("y", at + 1)])).collect();
    for once in [
        "self.blocks[0].a == \"x\"",
        "self.blocks[*].a == [\"x\", \"y\"]",
        "length([for block in self.blocks : 1]) == 2",
        "anytrue([for block in self.blocks : block.a == \"x\"])",
        "alltrue([for block in flatten([self.blocks, [self.blocks]]) : block.a != \"\"])",
        "length(flatten(self.blocks[*].a)) == 2",
        "length(flatten([for block in self.blocks : [for part in [block] : part.a]])) == 2",
        "try(self.blocks[2].a, \"none\") == \"none\"",
        "length(concat(related(\"-> t\"), related(\"<- t\"))) == 4 || true",
        "anytrue([for block in concat(related(\"-> t\"), related(\"<- t\")) : block.a == \"y\"])",
    ] {
        let is_whole = once.starts_with("length(concat");
        // First all of it is compared, so often.
        let is_alike = ask(once, &toys).0 < 40;
        assert_eq!(is_alike, !is_whole, "{once}");
    }
    // Here all of it is read.
    for always in [
        "self.blocks != null",
        "self.blocks[0] != null",
        "length(self.blocks) == 2",
        "alltrue([for block in self.blocks : block != null])",
        "alltrue([for block in self.blocks : block.a != null && block.b > -1])",
        "alltrue([for block in concat(self.blocks, self.blocks) : block.a != null])",
        "[for block in self.blocks : { of = block }] != null",
        "\"${self.blocks[0].a}${jsonencode(self.blocks)}\" != null",
        "(self.blocks[0].a == \"x\" ? self.blocks : null) != null",
        "self.blocks[self.blocks[0].b < 0 ? 0 : 1].b >= 0",
    ] {
        assert_eq!(ask(always, &toys).0, toys.len(), "{always}");
    }
}

#[test]
fn a_name_means_what_the_innermost_for_says() {
    let toys: Vec<Toy> = (0..200).map(|at| blocks(&[("x", at)])).collect();
    let inner = "alltrue([for b in self.blocks : alltrue([for b in [b.a] : b == \"x\"])])";
    assert!(ask(inner, &toys).0 < 40);
    let shadow = "alltrue([for self in self.blocks : self.b >= 0])";
    assert_eq!(ask(shadow, &toys).0, toys.len());
    let outer = "alltrue([for b in self.blocks : alltrue([for c in [1] : b.b >= 0])])";
    assert_eq!(ask(outer, &toys).0, toys.len());
}

#[test]
fn what_is_read_tells_apart() {
    // Enough that differ, that only what is read counts when the last ones are asked.
    let others = (0..100).map(|at| blocks(&[("x", 10 + at)]));
    let last = [&[("x", 1)][..], &[("y", 1)], &[("x", 2), ("x", 3)], &[], &[("y", 4)], &[("y", 5), ("x", 6)]];
    let toys: Vec<Toy> = others.chain(last.map(blocks)).collect();
    let (evaluated, truths) = ask("anytrue([for block in self.blocks : block.a == \"x\"])", &toys);
    assert!(evaluated < 40, "{evaluated}");
    let expected = [Truth::Yes, Truth::No, Truth::Yes, Truth::No, Truth::No, Truth::Yes];
    assert_eq!(truths.get(100..), Some(&expected[..]));
    // Who iterates an object reads its values, not attributes of its own.
    let keyed = |key: &str, at: i64| {
        let of = |value| Value::object([("a".into(), value)]);
        toy([("map", Value::object([(key.into(), of(Value::int(at)))]))])
    };
    let toys: Vec<Toy> = (0..100).map(|at| keyed(if at % 2 == 0 { "a" } else { "k" }, at)).collect();
    let (evaluated, truths) = ask("alltrue([for each in self.map : each.a == 1])", &toys);
    assert_eq!(evaluated, 100);
    assert!(truths.iter().zip(0..).all(|(truth, at)| *truth == Truth::from(at == 1)));
}

#[test]
fn what_answers_by_its_arguments_alone_is_not_asked() {
    thread_local!(static CALLS: Cell<usize> = const { Cell::new(0) });
    struct Counting(Toy);
    impl Scope for Counting {
        fn lookup(&self, root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
            self.0.lookup(root, attrs)
        }

        fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
            CALLS.set(CALLS.get() + 1);
            (name == "other" || name == "holds_secret").then(|| Ok(Value::bool(args.is_empty())))
        }

        fn is_alike(&self, name: &str, _attrs: &[&str]) -> bool {
            name == "holds_secret"
        }
    }
    let calls = |condition: &str| {
        CALLS.set(0);
        let (arena, mut memo) = (bumpalo::Bump::new(), Memo::default());
        let (expr, _) = hcl::parse_expression(condition, file(), &arena);
        for _ in 0..30 {
            memo.turn();
            let evaluate = |scope: &dyn Scope| decide(&expr, file(), scope);
            let x = Counting(toy([("a", Value::string("x"))]));
            let told = memo.decide((0, Condition::Require, &expr), file(), &x, evaluate);
            assert_eq!(told.truth, Truth::No);
        }
        CALLS.get()
    };
    assert_eq!(calls("holds_secret(self.a)"), 1);
    assert_eq!(calls("other(self.a)"), 30);
}

/// What a toy is asked, one attribute after the other, with the answers.
fn path(questions: &mut Questions, toy: &Toy, asked: &[&str]) -> Path {
    questions.turn += 1;
    let ask = |scope: &dyn Scope| asked.iter().all(|name| scope.lookup("self", &[*name]).is_ok());
    let (answered, path) = record(questions, &Demands::default(), toy, ask);
    assert!(answered);
    path.unwrap()
}

/// The rules that a toy passes, if its answers tell.
fn passed(together: &mut Together, questions: &mut Questions, toy: &Toy) -> Option<Vec<usize>> {
    questions.turn += 1;
    together.walk(questions, toy).map(|outcome| outcome.passed.clone())
}

fn passes(rule: usize) -> Outcome {
    Outcome { passed: vec![rule], ..Outcome::default() }
}

#[test]
fn all_rules_are_answered_by_one_way_down() {
    let (mut questions, mut together) = (Questions::default(), Together::default());
    let of = |a: &str, b: i64| toy([("a", Value::string(a)), ("b", Value::int(b))]);
    assert_eq!(passed(&mut together, &mut questions, &of("x", 1)), None);
    let way = path(&mut questions, &of("x", 1), &["a", "b"]);
    together.remember(way, passes(7));
    assert_eq!(passed(&mut together, &mut questions, &of("x", 1)), Some(vec![7]));
    assert_eq!(passed(&mut together, &mut questions, &of("x", 2)), None, "another answer leads nowhere yet");
    let way = path(&mut questions, &of("y", 3), &["a"]);
    together.remember(way, passes(8));
    assert_eq!(passed(&mut together, &mut questions, &of("y", 4)), Some(vec![8]));
    assert_eq!(passed(&mut together, &mut questions, &of("x", 1)), Some(vec![7]));
}

#[test]
fn what_asks_otherwise_than_it_did_begins_anew() {
    let (mut questions, mut together) = (Questions::default(), Together::default());
    let x = toy([("a", Value::string("x")), ("b", Value::int(1))]);
    let way = path(&mut questions, &x, &["a", "b"]);
    together.remember(way, passes(7));
    let way = path(&mut questions, &x, &["b", "a"]);
    together.remember(way, passes(8));
    assert_eq!(passed(&mut together, &mut questions, &x), None, "neither way is believed");
    let way = path(&mut questions, &x, &["b", "a"]);
    together.remember(way, passes(8));
    assert_eq!(passed(&mut together, &mut questions, &x), Some(vec![8]));
}

#[test]
fn answers_that_nobody_shares_are_not_looked_up_for_ever() {
    let (mut questions, mut together) = (Questions::default(), Together::default());
    let asked = Cell::new(0);
    for turn in 0..2_000 {
        let one = Counted { a: Value::int(turn), asked: &asked };
        questions.turn += 1;
        assert!(together.walk(&mut questions, &one).is_none());
        let ask = |scope: &dyn Scope| scope.lookup("self", &["a"]).is_ok();
        if let (_, Some(path)) = record(&mut questions, &Demands::default(), &one, ask) {
            together.remember(path, passes(7));
        }
    }
    assert!(asked.get() < 2_000 + 200, "{}", asked.get());
}

/// A resource that counts how often it is asked.
struct Counted<'c> {
    a: Value,
    asked: &'c Cell<usize>,
}

impl Scope for Counted<'_> {
    fn lookup(&self, _root: &str, _attrs: &[&str]) -> Result<(Value, usize), String> {
        self.asked.set(self.asked.get() + 1);
        Ok((self.a.clone(), 1))
    }
}
