//! The signatures of all functions of Terraform 1.11, as `terraform metadata functions -json` tells them, and how each
//! treats unknown and sensitive arguments.

use std::fmt;

use Ty::{Any, Bool, Bools, List, Lists, Map, Number, Numbers, Set, String, StringLists, StringSet, Strings};

use super::call::{Call, Outcome};
use super::{
    cidr, collections, conversion, date, encoding, filesystem, format, hash, json, maps, numeric, opentofu,
    paths, provider, regex, sets, strings, text, yaml,
};
use crate::value::Type;

/// A function.
#[derive(Copy, Clone)]
pub(super) struct Function {
    /// Its name, without a namespace.
    pub(super) name: &'static str,
    /// Its parameters.
    pub(super) params: &'static [Param],
    /// The parameter of all further arguments.
    pub(super) rest: Option<Param>,
    /// The type of its result.
    pub(super) result: Ty,
    /// How it treats unknown arguments.
    pub(super) unknowns: Unknowns,
    /// What Terraform says of the result where arguments are unknown.
    pub(super) promise: Promise,
    /// How it treats sensitive arguments.
    pub(super) marks: Marks,
    /// What it does; None if airgate does not evaluate it, or if Terraform evaluates it at apply.
    pub(super) run: Option<fn(&Call<'_>) -> Outcome>,
}

/// A parameter.
#[derive(Copy, Clone)]
pub(super) struct Param {
    /// Its name.
    pub(super) name: &'static str,
    /// What arguments are converted to.
    pub(super) ty: Ty,
    /// Whether null is allowed.
    pub(super) nullable: bool,
}

/// When a result is unknown for its arguments alone.
#[derive(Copy, Clone)]
pub(super) enum Unknowns {
    /// When an argument is unknown.
    Top,
    /// When anything in an argument is unknown.
    Deep,
    /// The function decides.
    Own,
}

/// What is certain of an unknown result.
#[derive(Copy, Clone)]
pub(super) enum Promise {
    /// It is not null if its type is known.
    Typed,
    /// It is not null, and of this type, unless an argument is of any type.
    NotNull(Ty),
    /// Nothing: Terraform forgot.
    Nothing,
}

/// When a result is sensitive for its arguments alone.
#[derive(Copy, Clone)]
pub(super) enum Marks {
    /// When anything in an argument is sensitive.
    Deep,
    /// When an argument as a whole is; elements keep their own marks.
    Top,
    /// The function decides.
    Own,
}

/// The types that signatures use.
#[derive(Copy, Clone)]
pub(super) enum Ty {
    /// Any type.
    Any,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(any)`
    List,
    /// `list(bool)`
    Bools,
    /// `list(number)`
    Numbers,
    /// `list(string)`
    Strings,
    /// `list(list(any))`
    Lists,
    /// `set(any)`
    Set,
    /// `set(string)`
    StringSet,
    /// `map(any)`
    Map,
    /// `map(list(string))`
    StringLists,
}

impl Ty {
    /// The type itself.
    pub(super) fn to_type(self) -> Type {
        match self {
            Any => Type::Any,
            Bool => Type::Bool,
            Number => Type::Number,
            String => Type::String,
            List => Type::list(Type::Any),
            Bools => Type::list(Type::Bool),
            Numbers => Type::list(Type::Number),
            Strings => Type::list(Type::String),
            Lists => Type::list(Type::list(Type::Any)),
            Set => Type::set(Type::Any),
            StringSet => Type::set(Type::String),
            Map => Type::map(Type::Any),
            StringLists => Type::map(Type::list(Type::String)),
        }
    }
}

const fn f(
    name: &'static str,
    params: &'static [Param],
    result: Ty,
    run: Option<fn(&Call<'_>) -> Outcome>,
) -> Function {
    Function {
        name,
        params,
        rest: None,
        result,
        unknowns: Unknowns::Top,
        promise: Promise::Typed,
        marks: Marks::Deep,
        run,
    }
}

const fn p(name: &'static str, ty: Ty) -> Param {
    Param { name, ty, nullable: false }
}

/// A parameter that may be null.
const fn n(name: &'static str, ty: Ty) -> Param {
    Param { name, ty, nullable: true }
}

impl Function {
    const fn rest(mut self, param: Param) -> Self {
        self.rest = Some(param);
        self
    }

    const fn unknowns(mut self, unknowns: Unknowns) -> Self {
        self.unknowns = unknowns;
        self
    }

    const fn promise(mut self, promise: Promise) -> Self {
        self.promise = promise;
        self
    }

    const fn marks(mut self, marks: Marks) -> Self {
        self.marks = marks;
        self
    }
}

impl fmt::Display for Function {
    /// The signature, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (i, param) in self.params.iter().chain(&self.rest).enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            let dots = if i == self.params.len() { "..." } else { "" };
            let null = if param.nullable { " or null" } else { "" };
            write!(f, "{comma}{dots}{}: {}{null}", param.name, word(param.ty))?;
        }
        write!(f, ") {}", word(self.result))
    }
}

/// The type as Terraform's metadata spells it.
fn word(ty: Ty) -> std::string::String {
    ty.to_type().to_string().replace("any", "dynamic")
}

/// All functions, by name.
#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("abs", &[p("num", Number)], Number, Some(numeric::abs)),
    f("abspath", &[p("path", String)], String, None),
    f("alltrue", &[p("list", Bools)], Bool, Some(collections::alltrue)).unknowns(Unknowns::Own),
    f("anytrue", &[p("list", Bools)], Bool, Some(collections::anytrue)).unknowns(Unknowns::Own),
    f("base64decode", &[p("str", String)], String, Some(encoding::base64decode)),
    f("base64encode", &[p("str", String)], String, Some(encoding::base64encode)),
    f("base64gzip", &[p("str", String)], String, None),
    f("base64sha256", &[p("str", String)], String, Some(hash::base64sha256)),
    f("base64sha512", &[p("str", String)], String, Some(hash::base64sha512)),
    f("basename", &[p("path", String)], String, Some(paths::basename)),
    f("bcrypt", &[p("str", String)], String, None).rest(p("cost", Number)),
    f("can", &[p("expression", Any)], Bool, Some(conversion::can)).unknowns(Unknowns::Own).marks(Marks::Own),
    f("ceil", &[p("num", Number)], Number, Some(numeric::ceil)),
    f("chomp", &[p("str", String)], String, Some(strings::chomp)),
    f("chunklist", &[p("list", List), p("size", Number)], Lists, Some(collections::chunklist)).marks(Marks::Top),
    f("cidrhost", &[p("prefix", String), p("hostnum", Number)], String, Some(cidr::cidrhost)),
    f("cidrnetmask", &[p("prefix", String)], String, Some(cidr::cidrnetmask)),
    f("cidrsubnet", &[p("prefix", String), p("newbits", Number), p("netnum", Number)], String, Some(cidr::cidrsubnet)),
    f("cidrsubnets", &[p("prefix", String)], Strings, Some(cidr::cidrsubnets)).rest(p("newbits", Number)),
    f("coalesce", &[], Any, Some(collections::coalesce)).rest(n("vals", Any)).unknowns(Unknowns::Own),
    f("coalescelist", &[], Any, Some(collections::coalescelist)).rest(n("vals", Any)).unknowns(Unknowns::Own),
    f("compact", &[p("list", Strings)], Strings, Some(collections::compact)).unknowns(Unknowns::Deep),
    f("concat", &[], Any, Some(collections::concat)).rest(p("seqs", Any)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("contains", &[p("list", Any), p("value", Any)], Any, Some(collections::contains)).unknowns(Unknowns::Own),
    f("csvdecode", &[p("str", String)], Any, Some(encoding::csvdecode)),
    f("dirname", &[p("path", String)], String, Some(paths::dirname)),
    f("distinct", &[p("list", List)], List, Some(collections::distinct)).unknowns(Unknowns::Deep),
    f("element", &[p("list", Any), p("index", Number)], Any, Some(collections::element)).marks(Marks::Top),
    f("endswith", &[p("str", String), p("suffix", String)], Bool, Some(strings::endswith)),
    f("ephemeralasnull", &[n("value", Any)], Any, Some(conversion::ephemeralasnull)).unknowns(Unknowns::Own).marks(Marks::Own),
    f("file", &[p("path", String)], String, Some(filesystem::file)),
    f("filebase64", &[p("path", String)], String, Some(filesystem::filebase64)),
    f("filebase64sha256", &[p("path", String)], String, Some(filesystem::filebase64sha256)),
    f("filebase64sha512", &[p("path", String)], String, Some(filesystem::filebase64sha512)),
    f("fileexists", &[p("path", String)], Bool, Some(filesystem::fileexists)),
    f("filemd5", &[p("path", String)], String, Some(filesystem::filemd5)),
    f("fileset", &[p("path", String), p("pattern", String)], StringSet, Some(filesystem::fileset)),
    f("filesha1", &[p("path", String)], String, Some(filesystem::filesha1)),
    f("filesha256", &[p("path", String)], String, Some(filesystem::filesha256)),
    f("filesha512", &[p("path", String)], String, Some(filesystem::filesha512)),
    f("flatten", &[p("list", Any)], Any, Some(collections::flatten)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("floor", &[p("num", Number)], Number, Some(numeric::floor)),
    f("format", &[p("format", String)], Any, Some(format::format)).rest(n("args", Any)).unknowns(Unknowns::Own),
    f("formatdate", &[p("format", String), p("time", String)], String, Some(date::formatdate)),
    f("formatlist", &[p("format", String)], Any, Some(format::formatlist)).rest(n("args", Any)).unknowns(Unknowns::Own),
    f("indent", &[p("spaces", Number), p("str", String)], String, Some(strings::indent)),
    f("index", &[p("list", Any), p("value", Any)], Any, Some(collections::index)).promise(Promise::NotNull(Number)),
    f("issensitive", &[n("value", Any)], Bool, Some(conversion::issensitive)).unknowns(Unknowns::Own).marks(Marks::Own),
    f("join", &[p("separator", String)], String, Some(strings::join)).rest(p("lists", Strings)).unknowns(Unknowns::Deep),
    f("jsondecode", &[p("str", String)], Any, Some(json::jsondecode)),
    f("jsonencode", &[n("val", Any)], String, Some(json::jsonencode)).unknowns(Unknowns::Own),
    f("keys", &[p("inputMap", Any)], Any, Some(maps::keys)).marks(Marks::Top),
    f("length", &[p("value", Any)], Number, Some(collections::length)).marks(Marks::Top),
    f("log", &[p("num", Number), p("base", Number)], Number, Some(numeric::log)),
    f("lookup", &[p("inputMap", Any), p("key", String)], Any, Some(maps::lookup)).rest(n("default", Any)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("lower", &[p("str", String)], String, Some(strings::lower)),
    f("matchkeys", &[p("values", List), p("keys", List), p("searchset", List)], List, Some(collections::matchkeys)).unknowns(Unknowns::Own),
    f("max", &[], Number, Some(numeric::max)).rest(p("numbers", Number)),
    f("md5", &[p("str", String)], String, Some(hash::md5)),
    f("merge", &[], Any, Some(maps::merge)).rest(n("maps", Any)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("min", &[], Number, Some(numeric::min)).rest(p("numbers", Number)),
    f("nonsensitive", &[n("value", Any)], Any, Some(conversion::nonsensitive)).unknowns(Unknowns::Own).marks(Marks::Own),
    f("one", &[p("list", Any)], Any, Some(collections::one)).unknowns(Unknowns::Own),
    f("parseint", &[p("number", Any), p("base", Number)], Any, Some(numeric::parseint)).promise(Promise::NotNull(Number)),
    f("pathexpand", &[p("path", String)], String, Some(paths::pathexpand)),
    f("plantimestamp", &[], String, None),
    f("pow", &[p("num", Number), p("power", Number)], Number, Some(numeric::pow)),
    f("range", &[], Numbers, Some(collections::range)).rest(p("params", Number)),
    f("regex", &[p("pattern", String), p("string", String)], Any, Some(regex::regex)).unknowns(Unknowns::Own),
    f("regexall", &[p("pattern", String), p("string", String)], List, Some(regex::regexall)).unknowns(Unknowns::Own),
    f("replace", &[p("str", String), p("substr", String), p("replace", String)], String, Some(regex::replace)),
    f("reverse", &[p("list", Any)], Any, Some(collections::reverse)).marks(Marks::Top).promise(Promise::NotNull(Any)),
    f("rsadecrypt", &[p("ciphertext", String), p("privatekey", String)], String, None),
    f("sensitive", &[n("value", Any)], Any, Some(conversion::sensitive)).unknowns(Unknowns::Own).marks(Marks::Own),
    f("setintersection", &[p("first_set", Set)], Set, Some(sets::setintersection)).rest(p("other_sets", Set)).unknowns(Unknowns::Deep),
    f("setproduct", &[], Any, Some(sets::setproduct)).rest(p("sets", Any)).marks(Marks::Top).promise(Promise::NotNull(Any)),
    f("setsubtract", &[p("a", Set), p("b", Set)], Set, Some(sets::setsubtract)).unknowns(Unknowns::Deep),
    f("setunion", &[p("first_set", Set)], Set, Some(sets::setunion)).rest(p("other_sets", Set)),
    f("sha1", &[p("str", String)], String, Some(hash::sha1)),
    f("sha256", &[p("str", String)], String, Some(hash::sha256)),
    f("sha512", &[p("str", String)], String, Some(hash::sha512)),
    f("signum", &[p("num", Number)], Number, Some(numeric::signum)),
    f("slice", &[p("list", Any), p("start_index", Number), p("end_index", Number)], Any, Some(collections::slice)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("sort", &[p("list", Strings)], Strings, Some(collections::sort)),
    f("split", &[p("separator", String), p("str", String)], Strings, Some(strings::split)),
    f("startswith", &[p("str", String), p("prefix", String)], Bool, Some(strings::startswith)).unknowns(Unknowns::Own),
    f("strcontains", &[p("str", String), p("substr", String)], Bool, Some(strings::strcontains)).promise(Promise::Nothing),
    f("strrev", &[p("str", String)], String, Some(strings::strrev)),
    f("substr", &[p("str", String), p("offset", Number), p("length", Number)], String, Some(strings::substr)),
    f("sum", &[p("list", Any)], Any, Some(numeric::sum)).unknowns(Unknowns::Deep).promise(Promise::NotNull(Number)),
    f("templatefile", &[p("path", String), p("vars", Any)], Any, None),
    f("templatestring", &[p("template", String), p("vars", Any)], String, None),
    f("textdecodebase64", &[p("source", String), p("encoding", String)], String, Some(text::textdecodebase64)),
    f("textencodebase64", &[p("string", String), p("encoding", String)], String, Some(text::textencodebase64)),
    f("timeadd", &[p("timestamp", String), p("duration", String)], String, Some(date::timeadd)).promise(Promise::Nothing),
    f("timecmp", &[p("timestamp_a", String), p("timestamp_b", String)], Number, Some(date::timecmp)),
    f("timestamp", &[], String, None),
    f("title", &[p("str", String)], String, Some(strings::title)),
    f("tobool", &[n("v", Any)], Bool, Some(conversion::tobool)).unknowns(Unknowns::Own),
    f("tolist", &[n("v", Any)], List, Some(conversion::tolist)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("tomap", &[n("v", Any)], Map, Some(conversion::tomap)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("tonumber", &[n("v", Any)], Number, Some(conversion::tonumber)).unknowns(Unknowns::Own),
    f("toset", &[n("v", Any)], Set, Some(conversion::toset)).unknowns(Unknowns::Own),
    f("tostring", &[n("v", Any)], String, Some(conversion::tostring)).unknowns(Unknowns::Own),
    f("transpose", &[p("values", StringLists)], StringLists, Some(maps::transpose)).unknowns(Unknowns::Deep),
    f("trim", &[p("str", String), p("cutset", String)], String, Some(strings::trim)),
    f("trimprefix", &[p("str", String), p("prefix", String)], String, Some(strings::trimprefix)),
    f("trimspace", &[p("str", String)], String, Some(strings::trimspace)),
    f("trimsuffix", &[p("str", String), p("suffix", String)], String, Some(strings::trimsuffix)),
    f("try", &[], Any, Some(conversion::first)).rest(p("expressions", Any)).unknowns(Unknowns::Own).marks(Marks::Own),
    f("upper", &[p("str", String)], String, Some(strings::upper)),
    f("urlencode", &[p("str", String)], String, Some(encoding::urlencode)),
    f("uuid", &[], String, None),
    f("uuidv5", &[p("namespace", String), p("name", String)], String, Some(hash::uuidv5)),
    f("values", &[p("mapping", Any)], Any, Some(maps::values)).marks(Marks::Top),
    f("yamldecode", &[p("src", String)], Any, Some(yaml::yamldecode)),
    f("yamlencode", &[n("value", Any)], String, Some(yaml::yamlencode)).unknowns(Unknowns::Deep).promise(Promise::Nothing),
    f("zipmap", &[p("keys", Strings), p("values", Any)], Any, Some(maps::zipmap)).unknowns(Unknowns::Own).marks(Marks::Top),
];

/// What OpenTofu adds, by name. `convert` is evaluated with the expressions, because it takes a type.
#[rustfmt::skip]
pub(super) static OPENTOFU: &[Function] = &[
    f("assumeequal", &[n("actual_value", Any), n("expected_value", Any)], Any, Some(opentofu::assumeequal)).unknowns(Unknowns::Own),
    f("assumelistlength", &[n("value", List), p("min_length", Number), p("max_length", Number)], List, Some(opentofu::assumelength)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("assumelistlengthmax", &[n("value", List), p("max_length", Number)], List, Some(opentofu::assumelengthmax)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("assumelistlengthmin", &[n("value", List), p("min_length", Number)], List, Some(opentofu::assumelengthmin)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("assumemaplength", &[n("value", Map), p("min_length", Number), p("max_length", Number)], Map, Some(opentofu::assumelength)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("assumemaplengthmax", &[n("value", Map), p("max_length", Number)], Map, Some(opentofu::assumelengthmax)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("assumemaplengthmin", &[n("value", Map), p("min_length", Number)], Map, Some(opentofu::assumelengthmin)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("assumenotnull", &[n("value", Any)], Any, Some(opentofu::assumenotnull)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("assumesetlength", &[n("value", Set), p("min_length", Number), p("max_length", Number)], Set, Some(opentofu::assumelength)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("assumesetlengthmax", &[n("value", Set), p("max_length", Number)], Set, Some(opentofu::assumelengthmax)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("assumesetlengthmin", &[n("value", Set), p("min_length", Number)], Set, Some(opentofu::assumelengthmin)).unknowns(Unknowns::Own).marks(Marks::Top),
    f("assumestringprefix", &[n("value", String), p("prefix", String)], String, Some(opentofu::assumestringprefix)).unknowns(Unknowns::Own),
    f("base64gunzip", &[p("str", String)], String, Some(opentofu::base64gunzip)),
    f("cidrcontains", &[p("containing_prefix", String), p("contained_ip_or_prefix", String)], Bool, Some(opentofu::cidrcontains)).promise(Promise::Nothing),
    f("urldecode", &[p("str", String)], String, Some(opentofu::urldecode)),
];

/// The functions of providers that are evaluated, by the names that their providers usually have.
#[rustfmt::skip]
pub(super) static PROVIDER_FUNCTIONS: &[Function] = &[
    f("provider::aws::arn_build", &[p("partition", String), p("service", String), p("region", String), p("account_id", String), p("resource", String)], String, Some(provider::arn_build)).promise(Promise::Nothing),
    f("provider::aws::arn_parse", &[p("arn", String)], Any, Some(provider::arn_parse)),
    f("provider::aws::trim_iam_role_path", &[p("arn", String)], String, Some(provider::trim_iam_role_path)).promise(Promise::Nothing),
    f("provider::terraform::decode_tfvars", &[p("src", String)], Any, Some(provider::decode_tfvars)),
    f("provider::terraform::encode_expr", &[p("value", Any)], String, Some(provider::encode_expr)).unknowns(Unknowns::Own),
    f("provider::terraform::encode_tfvars", &[p("value", Any)], String, Some(provider::encode_tfvars)).unknowns(Unknowns::Own),
];
