//! Attributes and blocks.

use super::{error, file, good};

#[test]
fn attributes_and_blocks() {
    assert_eq!(good("a = 1\nb \"x\" y {\n c = 2\n d {}\n}\n"), "a=1; b \"x\" \"y\" {c=2; d {}}");
    assert_eq!(good(""), "");
    assert_eq!(good("\n# only\n/* comments */ // here"), "");
    assert_eq!(good("a = 1"), "a=1");
    assert_eq!(good("a {}"), "a {}");
    assert_eq!(good("a { b = 1 }\nc \"d\" { e = [1,\n2] }"), "a {b=1}; c \"d\" {e=(tuple 1 2)}");
    assert_eq!(good("a {# c\n b = 1\n}"), "a {b=1}");
}

#[test]
fn labels_have_escapes_but_no_templates() {
    assert_eq!(good(r#"a "x\"y\u00e9 $${z}" {}"#), "a \"x\\\"yé ${z}\" {}");
    assert_eq!(error("a \"${b}\" {}\n").0, "a block label must be a plain string");
}

#[test]
fn crlf_and_byte_order_mark() {
    assert_eq!(good("\u{feff}a = 1\r\nb {\r\n c = [\r\n1,\r\n2]\r\n}\r\n"), "a=1; b {c=(tuple 1 2)}");
    let (_, messages) = file("a = 1\n\u{feff}b = 2\n");
    assert_eq!(messages, ["expected an attribute or a block, found `\u{feff}`"]);
}

#[test]
fn the_first_of_two_attributes_stays() {
    let (tree, messages) = file("a = 1\nb { a = 2 }\na = 3\n");
    assert_eq!(tree, "a=1; b {a=2}");
    assert_eq!(messages, ["`a` is set twice in this block; the first value is used"]);
}

#[test]
fn line_ends_part_items() {
    let message = |text: &str| error(text).0;
    assert_eq!(message("a = 1 b = 2\n"), "expected the end of the line after the value of `a`, found `b`");
    assert_eq!(message("a = 1,\n"), "expected the end of the line after the value of `a`, found `,`");
    assert_eq!(message("a {} b {}\n"), "expected the end of the line after a block, found `b`");
    assert_eq!(message("a {\n b = 1 }\n"), "expected the end of the line after the value of `b`, found `}`");
    assert_eq!(message("a { b = 1, c = 2 }\n"), "expected `}`, found `,`");
    assert_eq!(message("a { b {} }\n"), "expected `=`, found `{`");
    assert_eq!(message("a = b\n ? c : d\n"), "expected an attribute or a block, found `?`");
    assert_eq!(message("a\n"), "expected `=` or `{`, found the end of the line");
    assert_eq!(message("a \"b\"\n"), "expected `{`, found the end of the line");
    assert_eq!(message("a \"b\" = 1\n"), "expected a label or `{`, found `=`");
}
