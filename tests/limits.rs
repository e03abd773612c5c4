//! Input made to break the program: it ends, says what it left out, and does not take the machine with it.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use std::fmt::Write as _;

use program::{Dir, Run};

/// Levels of nesting that nobody writes.
const DEEP: usize = 200_000;

/// Address space that a run may take, in KiB: the program, its threads' stacks, and less than a gigabyte of data.
const MEMORY: &str = "1500000";

/// A resource with findings whatever its name is: what is not known must not hide them.
fn notebook(name: &str) -> String {
    format!("resource \"aws_sagemaker_notebook_instance\" \"lab\" {{\n  name = {name}\n}}\n")
}

/// Checks the directory within [`MEMORY`].
fn check(dir: &Dir, path: &str) -> Run {
    if !cfg!(target_os = "linux") {
        return dir.run(&["check", path]);
    }
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -v \"$1\"; shift; exec \"$@\"", "sh", MEMORY, env!("CARGO_BIN_EXE_airgate")]);
    command.args(["check", "--no-config", path]).current_dir(dir.path());
    Run::of(&command.output().unwrap())
}

/// The source is analysed, the resource in it has its findings, and `said` is in the report.
#[track_caller]
fn bounded(source: &str, code: i32, said: &str) {
    let run = check(&Dir::of(source), ".");
    run.reports(code, &[said, "AWS-SM-NET-001"]);
    assert!(run.out.len() < 50_000, "{} bytes of report", run.out.len());
}

#[test]
fn expressions_nest_deeply_in_every_way() {
    let around =
        |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(DEEP), close.repeat(DEEP));
    for expression in [
        around("[", "1", "]"),
        around("[", "1", ""),
        around("(", "1", ")"),
        around("{a=", "1", "}"),
        around("!", "true", ""),
        around("-", "1", ""),
        around("true ? ", "1", " : 2"),
        around("true ? 1 : ", "1", ""),
        around("max(", "1", ")"),
        around("a[", "1", "]"),
        around("[for x in ", "[]", " : x]"),
        around("\"${", "1", "}\""),
        format!("\"{}\"", around("%{ if true }", "x", "%{ endif }")),
        around("<<E\n${", "1", "}\nE\n"),
        around("", "local", "[*]"),
    ] {
        let run = check(&Dir::of(&notebook(&expression)), ".");
        run.reports(2, &["error: this nests deeper than 200 levels", "AWS-SM-NET-001"]);
    }
    bounded(&notebook(&around("1+", "1", "")), 2, "error: this has more than 500 operators in a row");
    bounded(&notebook(&around("", "local", ".a")), 1, "warning: local value `a` is not declared");
}

#[test]
fn blocks_and_types_nest_deeply() {
    for source in ["a {\n".repeat(DEEP) + &"}\n".repeat(DEEP), "a {\n".repeat(DEEP)] {
        bounded(&(notebook("\"x\"") + &source), 2, "error: this nests deeper than 200 levels");
    }
    let ty = "list(".repeat(DEEP) + "string" + &")".repeat(DEEP);
    let source = format!("variable \"a\" {{\n  type = {ty}\n}}\n{}", notebook("var.a"));
    bounded(&source, 2, "error: this nests deeper than 200 levels");
}

#[test]
fn plans_nest_deeply() {
    let lists = "[".repeat(DEEP) + &"]".repeat(DEEP);
    let objects = "{\"a\":".repeat(DEEP) + "1" + &"}".repeat(DEEP);
    let plan = |values: &str, unknown: &str, sensitive: &str, configuration: &str| {
        format!(
            r#"{{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{{"root_module":{{"resources":[
            {{"address":"aws_sagemaker_notebook_instance.lab","mode":"managed","name":"lab",
            "type":"aws_sagemaker_notebook_instance","values":{values},"sensitive_values":{sensitive}}}]}}}},
            "resource_changes":[{{"address":"aws_sagemaker_notebook_instance.lab","mode":"managed","name":"lab",
            "type":"aws_sagemaker_notebook_instance","change":{{"actions":["create"],"before":null,
            "after":{values},"after_unknown":{unknown},"after_sensitive":{sensitive}}}}}],
            "configuration":{{"root_module":{configuration}}}}}"#
        )
    };
    let name = r#"{"name":"x"}"#;
    let dir = Dir::new();
    let check_plan = |text: String| {
        dir.write("plan.json", text);
        check(&dir, "plan.json")
    };
    for values in [&lists, &objects] {
        let values = format!("{{\"name\":{values}}}");
        let run = check_plan(plan(&values, "{}", "{}", "{}"));
        run.reports(2, &["cannot understand aws_sagemaker_notebook_instance.lab: recursion limit exceeded"]);
    }
    // Marks that cannot be read mark all: nothing is shown, nothing passes.
    check_plan(plan(name, &objects, "{}", "{}"))
        .reports(0, &[" 0 passed; 1 managed resource (1 in AI scope)"]);
    let hidden = check_plan(plan(name, "{}", &objects, "{}"));
    hidden.reports(1, &["AWS-SM-NET-001"]);
    assert!(!hidden.out.contains("\"x\""), "{}", hidden.out);
    let calls = "{\"module_calls\":{\"a\":{\"module\":".repeat(DEEP) + "{}" + &"}}}".repeat(DEEP);
    check_plan(plan(name, "{}", "{}", &calls)).reports(2, &["cannot understand", "AWS-SM-NET-001"]);
    let modules = "{\"child_modules\":[".repeat(DEEP) + "{}" + &"]}".repeat(DEEP);
    check_plan(format!("{{\"format_version\":\"1.2\",\"planned_values\":{{\"root_module\":{modules}}}}}"))
        .refuses(2, &["cannot understand the plan's values: recursion limit exceeded"]);
    check_plan(lists).refuses(2, &["is a JSON array"]);
    check_plan(objects).refuses(2, &["plan.json is "]);
}

#[test]
fn documents_of_nothing_but_values_are_bounded() {
    const HEAD: &str = r#"{"format_version":"1.2","resource_changes":[{"address":"aws_sagemaker_notebook_instance.lab",
        "mode":"managed","type":"aws_sagemaker_notebook_instance","name":"lab","change":{"actions":["create"],
        "before":null,"after":{"name":"lab","security_groups":["#;
    const TAIL: &str = r#"null]},"after_unknown":{}}}]}"#;
    let dir = Dir::new();
    dir.write("plan.json", format!("{HEAD}{}{TAIL}", "null,".repeat(4_000_000)));
    let run = check(&dir, "plan.json");
    run.refuses(2, &["plan.json holds 4000", "values: a document with so many is no plan and no state"]);
    dir.write("plan.json", format!("{HEAD}{}{TAIL}", "null,".repeat(100_000)));
    check(&dir, "plan.json").reports(1, &["AWS-SM-NET-001"]);
    // Each of them is wrong; not each is told.
    let nothing = "null,".repeat(200_000);
    for (start, end) in [
        (r#"{"format_version":"1.2","resource_changes":["#, "null]}"),
        (r#"{"format_version":"1.2","resource_changes":[],"resource_drift":["#, "null]}"),
        (r#"{"format_version":"1.0","values":{"root_module":{"resources":["#, "null]}}}"),
        (r#"{"version":4,"serial":1,"resources":["#, "null]}"),
        (r#"{"steps":["#, "null]}"),
    ] {
        dir.write("plan.json", format!("{start}{nothing}{end}"));
        let run = check(&dir, "plan.json");
        assert_eq!(run.code, Some(2), "{start}");
        assert!(run.out.len() + run.err.len() < 1_000_000, "{start}");
    }
}

#[test]
fn ten_thousand_files_are_one_module() {
    let dir = Dir::new();
    for n in 0..10_000 {
        dir.write(
            &format!("f{n}.tf"),
            format!("resource \"aws_sagemaker_notebook_instance\" \"n{n}\" {{}}\n"),
        );
    }
    let run = dir.run(&["check", "--select", "AWS-SM-NET-001", "--format", "markdown"]);
    assert_eq!(run.code, Some(1));
    assert!(run.out.contains("10000 failures (10000 high)"), "{}", run.out.lines().next().unwrap());
}

#[test]
fn a_hundred_thousand_values_are_read() {
    let dir = Dir::of(&(notebook("var.a.k99999") + "variable \"a\" {}\n"));
    let values = |prefix: &str| {
        (0..100_000).fold(String::new(), |mut text, n| {
            let _ = writeln!(text, "{prefix}{n} = \"x{n}\"");
            text
        })
    };
    dir.write("terraform.tfvars", format!("a = {{\n{}}}\n{}", values("k"), values("v")));
    let run = check(&dir, ".");
    run.reports(1, &["variables `v0`, `v1`, `v2` and 99997 more are not declared", "AWS-SM-NET-001"]);
    assert!(run.out.len() < 50_000, "{} bytes of report", run.out.len());
}

#[test]
fn encodings_of_text_are_read_or_told() {
    let dir = Dir::of(&notebook("local.none"));
    let text = std::fs::read_to_string(dir.path().join("main.tf")).unwrap();
    let told = ["main.tf:1:1", "AWS-SM-NET-001", "local value `none` is not declared", "main.tf:2:10"];
    for text in [text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
        dir.write("main.tf", text);
        let run = check(&dir, ".");
        run.reports(1, &told);
        assert!(run.out.contains("\n1 | resource "), "{}", run.out);
    }
    let wide: Vec<u8> = "\u{feff}locals {}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(dir.path().join("wide.tf"), wide).unwrap();
    std::fs::write(dir.path().join("latin.tf"), b"# caf\xe9\n").unwrap();
    check(&dir, ".").reports(
        2,
        &[
            "error: `wide.tf` is not UTF-8: byte 0 is not valid",
            "error: `latin.tf` is not UTF-8: byte 5 is not valid",
            "AWS-SM-NET-001",
        ],
    );
}

#[test]
fn json_configuration_nests_deeply() {
    let deep = 10_000;
    for (value, said) in [
        ("[".repeat(deep) + &"]".repeat(deep), "nests deeper than 200 levels"),
        ("{\"a\":".repeat(deep) + "1" + &"}".repeat(deep), "nests deeper than 200 levels"),
        ("[".repeat(deep), "nests deeper than 200 levels"),
        (format!("\"${{{}\"", "[".repeat(deep)), "nests deeper than 200 levels"),
    ] {
        let dir = Dir::of(&notebook("\"x\""));
        dir.write("x.tf.json", format!("{{\"locals\":{{\"x\":{value}}}}}"));
        check(&dir, ".").reports(2, &[said, "x.tf.json:1:", "AWS-SM-NET-001"]);
    }
}

/// What is wrong in the ways of this issue costs its own value, and nothing beside it.
#[test]
fn modules_and_loops_over_the_wrong_thing_are_told() {
    let dir = Dir::of(
        "module \"a\" {\n  source = \"./a\"\n}\nmodule \"x\" {\n  source = \"./pass\"\n  x = module.y.x\n}\n\
         module \"y\" {\n  source = \"./pass\"\n  x = module.x.x\n}\n\
         resource \"aws_sagemaker_notebook_instance\" \"lab\" {\n  for_each = [\"a\", \"b\"]\n  name = each.key\n  \
         role_arn = module.x.x\n}\n\
         variable \"n\" {\n  type = number\n  default = \"many\"\n}\n\
         resource \"aws_sns_topic\" \"t\" {\n  count = var.n\n}\nmodule \"m\" {\n  source = \"./pass\"\n  \
         for_each = [\"x\"]\n  x = 1\n}\n",
    );
    dir.write("a/main.tf", "module \"b\" {\n  source = \"../b\"\n}\n");
    dir.write("b/main.tf", "module \"a\" {\n  source = \"../a\"\n}\n");
    dir.write("pass/main.tf", "variable \"x\" {}\noutput \"x\" {\n  value = var.x\n}\n");
    check(&dir, ".").reports(
        1,
        &[
            "`module.a` calls the module that it is part of",
            "b/main.tf:1:1",
            "`output.x` refers to itself",
            "`for_each` takes a map or a set; use `toset(…)`\n  --> main.tf:13:14",
            "main.tf:26:14",
            "the value of variable `n` is wrong: a number is required\n  --> main.tf:19:13",
            "aws_sagemaker_notebook_instance.lab[?]",
        ],
    );
}

#[test]
fn an_override_of_nothing_is_told() {
    let dir = Dir::of(&notebook("\"x\""));
    dir.write("x_override.tf", "resource \"aws_sns_topic\" \"none\" {\n}\nlocals {\n  a = 1\n}\n");
    let run = check(&dir, ".");
    run.reports(
        1,
        &["there is no `resource.aws_sns_topic.none` to override", "x_override.tf:1:1", "`local.a`"],
    );
}

#[test]
fn long_lines_and_strings_are_cut() {
    let long = "a".repeat(10 << 20);
    bounded(&notebook(&format!("\"{long}\"")).replace('\n', " "), 1, "aaa");
    bounded(&format!("locals {{ x = [{}] }}\n{}", "\"abcdefg\",".repeat(1 << 20), notebook("\"x\"")), 1, "");
}

/// Sixty locals, each made of two of the one before, and the last of them in `use`.
fn doubling(start: &str, step: &str, last: &str) -> String {
    let mut source = format!("locals {{\n  l0 = {start}\n");
    for n in 1..=60 {
        let _ = writeln!(source, "  l{n} = {}", step.replace('@', &format!("local.l{}", n - 1)));
    }
    let _ = writeln!(source, "  x = {}\n}}", last.replace('@', "local.l60"));
    source + &notebook("tostring(length(local.x))")
}

#[test]
fn doubling_ends() {
    let limit = "warning: limit passed: ";
    bounded(&doubling("\"0123456789abcdef\"", "\"${@}${@}\"", "@"), 1, limit);
    bounded(&doubling("[1]", "concat(@, @)", "@"), 1, limit);
    for last in ["@", "jsonencode(@)", "@ == @ ? \"a\" : \"b\"", "flatten(@)", "toset(@)", "tolist([@, @])"] {
        bounded(&doubling("[1]", "[@, @]", last), 1, limit);
        bounded(&doubling("{ a = 1 }", "{ a = @, b = @ }", last), 1, limit);
    }
    // Of a list that is known in part no more is kept than can be walked.
    for (start, step) in [
        ("[for x in var.unknown : 1]", "[for x in var.unknown : [@, @]]"),
        ("concat([1], var.unknown)", "concat(@, @)"),
        ("[for x in [1] : x if var.unknown]", "[for x in @ : [@, x]]"),
    ] {
        let source = "variable \"unknown\" {}\n".to_owned() + &doubling(start, step, "@");
        bounded(&source, 1, "");
    }
    let nested = (1..60).fold("a".to_owned(), |inner, _| format!("[for a in [[a, a]] : {inner}]"));
    bounded(&notebook(&format!("length(jsonencode([for a in [1] : {nested}]))")), 1, limit);
}

#[test]
fn functions_and_loops_are_bounded() {
    let local = |expression: &str| format!("locals {{\n  r = range(1000)\n  x = {expression}\n}}\n");
    let many = "a".repeat(100_000);
    for (expression, said) in [
        ("range(1000000000)", "more than 1024 numbers"),
        ("setproduct(local.r, local.r, local.r, local.r)", "elements of setproduct"),
        ("[for a in local.r : [for b in local.r : [for c in local.r : a]]]", "limit passed: "),
        (
            "\"%{ for a in local.r }%{ for b in local.r }%{ for c in local.r }x%{ endfor }%{ endfor }%{ endfor }\"",
            "limit passed: ",
        ),
        (
            "cidrsubnets(\"::/0\", flatten([for a in local.r : [for b in local.r : 100]])...)",
            "limit passed: ",
        ),
        ("regexall(\"(((((a{1,1000}){1,1000}){1,1000})))\", \"aaaa\")", "size of the compiled pattern"),
        ("format(\"%1000000000s\", \"a\")", "too large for a format"),
        ("indent(1000000000, \"a\\nb\")", "16 MiB of indent"),
        (&format!("jsondecode(\"{}\")", "[".repeat(100_000)), "depth of a JSON document"),
        (&format!("replace(\"{many}\", \"a\", \"{many}\")"), "16 MiB of replace"),
        (
            &format!("replace(\"{many}\", \"/{}/\", \"b\")", "(a?){500}".repeat(20)),
            "size of the compiled pattern",
        ),
    ] {
        bounded(&(local(expression) + &notebook("tostring(length(local.x))")), 1, said);
    }
    // Backtracking would take for ever; there is none.
    let catastrophe = local(&format!("regexall(\"(a*)*b\", \"{many}\")"));
    bounded(&(catastrophe + &notebook("tostring(length(local.x))")), 1, "AWS-SM-IAM-001");
}

/// `length` zeros as `base64gzip` would write them.
fn gzip_of_zeros(length: usize) -> String {
    use base64::Engine as _;
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b'0'; length]).unwrap();
    base64::prelude::BASE64_STANDARD.encode(encoder.finish().unwrap())
}

#[test]
fn documents_that_unfold_are_bounded() {
    let doubled = (1..40).fold("a0: &a0 [x, x]\\n".to_owned(), |text, n| {
        let before = n - 1;
        format!("{text}a{n}: &a{n} [*a{before}, *a{before}]\\n")
    });
    let merged = (1..40).fold("a0: &a0 {k0: 1}\\n".to_owned(), |text, n| {
        let before = n - 1;
        format!("{text}a{n}: &a{n} {{<<: *a{before}, b{n}: *a{before}, c{n}: *a{before}}}\\n")
    });
    let bomb = gzip_of_zeros(64 << 20);
    for (expression, said) in [
        (format!("yamldecode(\"{doubled}\")"), "2^20 values of yamldecode"),
        (format!("yamldecode(\"{merged}\")"), "2^20 values of yamldecode"),
        (format!("yamldecode(\"{}\")", "[".repeat(100_000)), "depth of the document of yamldecode"),
        (format!("yamldecode(\"{}\")", "- ".repeat(100_000)), "depth of the document of yamldecode"),
        (format!("yamldecode(\"{}\")", "a: ".repeat(10_000)), "the text is not YAML at line 1"),
        (format!("yamldecode(\"{}\")", "&a ".repeat(10_000)), "the text is not YAML at line 1"),
        (format!("base64gunzip(\"{bomb}\")"), "16 MiB of base64gunzip"),
        ("base64gunzip(\"aGVsbG8=\")".to_owned(), "the text is not gzip"),
        ("yamlencode(local.l60)".to_owned(), "limit passed: "),
        ("timeadd(\"2020-01-01T00:00:00Z\", \"99999999999999999999h\")".to_owned(), "warning: timeadd: "),
        ("formatdate(\"'\", \"2020-01-01T00:00:00Z\")".to_owned(), "warning: formatdate: "),
        ("formatlist(\"%9999999999d\", [1])".to_owned(), "too large for a format"),
        ("upperr(\"x\")".to_owned(), "did you mean `upper`?"),
    ] {
        let source = doubling("[1]", "[@, @]", "1").replace("  x = 1", &format!("  x = {expression}"));
        bounded(&source, 1, said);
    }
}

#[test]
fn templates_in_files_are_bounded() {
    let dir = Dir::new();
    dir.write("self.tftpl", "${templatefile(\"self.tftpl\", {})}${templatefile(\"self.tftpl\", {})}");
    dir.write(
        "long.tftpl",
        "%{ for a in l }%{ for b in l }%{ for c in l }line\n%{ endfor }%{ endfor }%{ endfor }",
    );
    for (expression, said) in [
        ("templatefile(\"self.tftpl\", {})", "templates cannot call it"),
        ("templatefile(\"long.tftpl\", { l = range(200) })", "evaluation takes too many steps"),
        // What each template takes counts together.
        (
            "[for n in range(1000) : templatefile(\"long.tftpl\", { l = range(50) })]",
            "evaluation takes too many steps",
        ),
    ] {
        dir.write(
            "main.tf",
            format!("locals {{\n  x = {expression}\n}}\n{}", notebook("tostring(length(local.x))")),
        );
        check(&dir, ".").reports(1, &[said, "main.tf:2:", "AWS-SM-NET-001"]);
    }
}

#[cfg(unix)]
#[test]
fn links_out_of_the_tree_are_not_read() {
    let dir = Dir::of(&notebook("\"x\""));
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, dir.path().join(name)).unwrap();
    link("/etc/passwd", "out.tf");
    link("/etc/passwd", "terraform.tfvars");
    link("/dev/zero", "b.auto.tfvars");
    link("loop.tf", "loop.tf");
    link("none.tf", "dangling.tf");
    dir.write("shared/more.tf", "resource \"aws_sagemaker_notebook_instance\" \"linked\" {}\n");
    link("shared/more.tf", "more.tf");
    link("/usr/share", "out");
    link("lp", "lp");
    dir.write(
        "calls.tf",
        "module \"out\" {\n  source = \"./out\"\n}\nmodule \"lp\" {\n  source = \"./lp\"\n}\n",
    );
    let run = check(&dir, ".");
    run.reports(
        2,
        &[
            "error: `out.tf` is a link out of the analysed tree; it is not read",
            "error: `terraform.tfvars` is a link out of the analysed tree",
            "error: `b.auto.tfvars` is a link out of the analysed tree",
            "error: cannot read `loop.tf`: ",
            "error: cannot read `dangling.tf`: ",
            "warning: `module.out` is not followed: `out` lies outside the analysed tree",
            "warning: `module.lp` is not followed: there is no directory `lp`",
            "aws_sagemaker_notebook_instance.lab",
            "aws_sagemaker_notebook_instance.linked",
        ],
    );
    assert!(!run.out.contains("root:"), "{}", run.out);
}

/// Files beside the root module are those of the repository, but for what Git keeps for itself.
#[test]
fn functions_read_files_of_the_repository() {
    let dir = Dir::new();
    dir.write(".git/config", "token");
    dir.write("assets/name.txt", "lab");
    let source = |path: &str| notebook(&format!("file(\"{path}\")"));
    for (path, said) in [
        ("../assets/name.txt", ""),
        ("${path.module}/../assets/name.txt", ""),
        ("../.git/config", "a file outside the analysed tree is not read"),
        ("../assets/none.txt", "file: there is no file `../assets/none.txt`"),
    ] {
        dir.write("root/main.tf", source(path));
        let run = check(&dir, "root");
        run.reports(1, &[said, "AWS-SM-NET-001"]);
        assert_eq!(run.out.contains("warning: "), !said.is_empty(), "{}", run.out);
    }
    // What a data source makes is there when Terraform reads it.
    let archive = "data \"archive_file\" \"a\" {\n  output_path = \"a.zip\"\n}\n";
    dir.write("root/main.tf", notebook("filesha256(data.archive_file.a.output_path)") + archive);
    let run = check(&dir, "root");
    run.reports(1, &["AWS-SM-NET-001"]);
    assert!(!run.out.contains("there is no file"), "{}", run.out);
}

#[cfg(unix)]
#[test]
fn files_that_are_none_are_told() {
    let dir = Dir::new();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, dir.path().join(name)).unwrap();
    link("loop", "loop");
    link("../none", "dangling");
    link("/etc/hostname", "outside");
    link("..", "up");
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap();
    assert!(pipe.success());
    for (expression, said) in [
        ("file(\"loop\")", "there is no file `loop`"),
        ("file(\"dangling\")", "there is no file `dangling`"),
        ("file(\"outside\")", "a file outside the analysed tree is not read"),
        ("filesha256(\"up/x\")", "a file outside the analysed tree is not read"),
        ("file(\"/dev/zero\")", "a file outside the analysed tree is not read"),
        ("templatefile(\"/etc/hostname\", {})", "a file outside the analysed tree is not read"),
        ("fileexists(\"pipe\")", "is not a file"),
        ("file(\"pipe\")", "is not a file"),
        ("file(\"folder\")", "is not a file"),
        ("fileset(\"..\", \"**\")", "a file outside the analysed tree is not read"),
    ] {
        dir.write("main.tf", format!("locals {{\n  x = {expression}\n}}\n{}", notebook("tostring(local.x)")));
        check(&dir, ".").reports(1, &[said, "main.tf:2:", "AWS-SM-NET-001"]);
    }
}

#[test]
fn cycles_are_told() {
    bounded(
        &format!("locals {{\n  a = local.b\n  b = local.a\n}}\n{}", notebook("local.a")),
        1,
        "refers to itself",
    );
    let two = "resource \"aws_s3_bucket\" \"a\" {\n  bucket = aws_s3_bucket.b.bucket\n}\n\
               resource \"aws_s3_bucket\" \"b\" {\n  bucket = aws_s3_bucket.a.bucket\n}\n";
    bounded(&(two.to_owned() + &notebook("aws_s3_bucket.a.bucket")), 1, "refers to itself");
    let chain = (1..20_000).fold("locals {\n  l0 = \"x\"\n".to_owned(), |mut source, n| {
        let _ = writeln!(source, "  l{n} = local.l{}", n - 1);
        source
    });
    bounded(&(chain + "}\n" + &notebook("local.l19999")), 1, "limit passed: expressions nest too deeply");
}

#[test]
fn instances_and_blocks_are_bounded() {
    let with = |meta: &str| notebook(&format!("\"n\"\n  {meta}"));
    bounded(&with("count = 1e12"), 1, "more than 10000 instances are analysed as one");
    let keys = "for_each = toset(flatten([for a in range(1000) : [for b in range(1000) : \"${a}-${b}\"]]))";
    bounded(&with(keys), 1, "limit passed: ");
    for (meta, said) in [
        ("count = 1e9", "more than 10000 instances are analysed as one"),
        ("count = 9223372036854775807", "more than 10000 instances are analysed as one"),
        ("count = 1e30", "`count` is not a whole number"),
        ("count = null", "`count` is null"),
        ("for_each = null", "`for_each` takes a map or a set of strings"),
        ("for_each = [\"a\", \"b\"]", "`for_each` takes a map or a set; use `toset(…)`"),
        (
            "for_each = toset(flatten([for a in range(100) : [for b in range(1000) : \"${a}-${b}\"]]))",
            "limit passed: a value is too large or too deep",
        ),
        (
            "for_each = toset(flatten([for a in range(20) : [for b in range(1000) : \"${a}-${b}\"]]))",
            "more than 10000 instances are analysed as one",
        ),
        (
            "dynamic \"a\" {\n for_each = flatten([for a in range(900) : [for b in range(900) : b]])\n content {}\n}",
            "limit passed: ",
        ),
        (
            "dynamic \"a\" {\n for_each = flatten([for a in range(20) : [for b in range(1000) : b]])\n content {}\n}",
            "limit passed: blocks of one `dynamic`; the blocks count as not known",
        ),
        (
            "dynamic \"a\" {\n for_each = 3\n content {}\n}",
            "`for_each` of a `dynamic` block takes a collection",
        ),
    ] {
        bounded(&with(meta), 1, said);
    }
    let blocks = "dynamic \"a\" {\n for_each = range(1000)\n content {\n dynamic \"b\" {\n for_each = range(1000)\n \
                  content {\n dynamic \"c\" {\n for_each = range(1000)\n content {}\n}\n}\n}\n}\n}";
    bounded(&with(blocks), 1, "limit passed: the module has too many values");
    let mut many = notebook("\"x\"");
    for n in 0..20 {
        let _ = writeln!(many, "resource \"aws_sns_topic\" \"n{n}\" {{\n  count = 10000\n}}");
    }
    bounded(&many, 1, "limit passed: the module has too many values; the instances are analysed as one");
}
