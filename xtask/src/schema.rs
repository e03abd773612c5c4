//! `cargo xtask schema [SCHEMA.json]`: writes `rules/catalog/schema/aws.txt`, what the provider's schema says of the
//! resource types that `rules/catalog/types.csv` names.
//!
//! SCHEMA.json is the output of `terraform providers schema -json`; without it the task asks Terraform itself.
//! `cargo xtask schema google 6.50.0 DIR` does the same for another provider, out of a checkout of the repository
//! `lonegunmanb/terraform-google-schema`, which stores that output for each version, a file a type.
//!
//! One line a type: its name, a tab, and its block as JSON, where a primitive attribute is `"flags type"`, another
//! attribute `["flags", type]` with a type as cty writes it, and a nested block `{"nesting": [min, max, block]}` (a max of
//! 0 is none). The flags are the first letters of required, optional, computed and sensitive.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

/// Types whose schema would take more bytes are left out: no rule looks into an intent of Lex that nests messages in
/// messages, and it alone is as large as fifty others.
const LIMIT: usize = 40_000;

/// The provider and the version that the catalog knows.
pub(crate) const PROVIDER: &str = "registry.terraform.io/hashicorp/aws";
/// See [`PROVIDER`].
pub(crate) const VERSION: &str = "5.100.0";

/// The other providers whose schemas can be made from a checkout.
const OTHERS: [&str; 3] = ["azurerm", "google", "kubernetes"];

pub(crate) fn run(args: &[String]) -> Result<()> {
    if let [provider, version, dir] = args {
        ensure!(OTHERS.contains(&provider.as_str()), "`{provider}` is none of {}", OTHERS.join(", "));
        return stored(provider, version, Path::new(dir));
    }
    let text = match args.first() {
        Some(path) => std::fs::read_to_string(path).with_context(|| path.clone())?,
        None => {
            let Some(workspace) = Workspace::new("schema")? else { return Ok(()) };
            let output = workspace.terraform(&["providers", "schema", "-json"])?;
            String::from_utf8(output.stdout)?
        }
    };
    let schema: Value = serde_json::from_str(&text)?;
    let types = schema["provider_schemas"][PROVIDER]["resource_schemas"]
        .as_object()
        .with_context(|| format!("no schema of {PROVIDER}"))?;

    write_schemas("aws", String::new(), |name| Ok(types.get(name).cloned()))
}

/// As [`run`], from a checkout that has a file of Go for each type, with its schema between back quotes.
fn stored(provider: &str, version: &str, dir: &Path) -> Result<()> {
    let header = format!(
        "# registry.terraform.io/hashicorp/{provider} {version}, of lonegunmanb/terraform-{provider}-schema v{version}\n"
    );
    write_schemas(provider, header, |name| {
        let path = dir.join("generated/resource").join(format!("{}.go", camel(name)));
        let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
        let json = text.split_once(" = `").and_then(|(_, rest)| Some(rest.split_once("`\n\nfunc ")?.0));
        let json = json.with_context(|| format!("no schema in {}", path.display()))?;
        Ok(Some(serde_json::from_str(&json.replace("` + \"`\" + `", "`"))?))
    })
}

/// `google_kms_crypto_key` as `googleKmsCryptoKey`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

/// Writes the schemas of those types of `provider` that the catalog names, as far as `schema` has them.
fn write_schemas(
    provider: &str,
    mut out: String,
    schema: impl Fn(&str) -> Result<Option<Value>>,
) -> Result<()> {
    let (mut count, mut skipped) = (0, Vec::new());
    for name in catalog_types(provider)? {
        let Some(resource) = schema(&name)? else { continue };
        let line = serde_json::to_string(&block(&resource["block"])?)?;
        if line.len() > LIMIT {
            skipped.push(name);
            continue;
        }
        writeln!(out, "{name}\t{line}")?;
        count += 1;
    }
    let path = root().join(format!("rules/catalog/schema/{provider}.txt"));
    std::fs::write(&path, &out)?;
    eprintln!("{count} types, {} bytes; left out for their size: {}", out.len(), skipped.join(", "));
    Ok(())
}

/// The types of the provider that the catalog names, in its order.
fn catalog_types(provider: &str) -> Result<Vec<String>> {
    let csv = std::fs::read_to_string(root().join("rules/catalog/types.csv"))?;
    let names = csv.lines().skip(1).filter_map(|line| line.split(',').next());
    let is_its = |name: &&str| name.split_once('_').is_some_and(|(prefix, _)| prefix == provider);
    Ok(names.filter(is_its).map(ToOwned::to_owned).collect())
}

/// A block in the short form.
fn block(block: &Value) -> Result<Value> {
    let mut out = Map::new();
    for (name, attribute) in entries(&block["attributes"]) {
        let flags: String = ["required", "optional", "computed", "sensitive"]
            .iter()
            .filter(|flag| attribute[**flag] == true)
            .filter_map(|flag| flag.chars().next())
            .collect();
        let ty = match attribute.get("type") {
            Some(ty) => ty.clone(),
            None => nested_type(&attribute["nested_type"])?,
        };
        let short = match &ty {
            Value::String(ty) => json!(format!("{flags} {ty}")),
            ty => json!([flags, ty]),
        };
        out.insert(name.clone(), short);
    }
    for (name, nested) in entries(&block["block_types"]) {
        let nesting = nested["nesting_mode"].as_str().context("a block without nesting mode")?;
        let bound = |key: &str| nested[key].as_u64().unwrap_or(0);
        let short =
            json!({ nesting: [bound("min_items"), bound("max_items"), self::block(&nested["block"])?] });
        ensure!(out.insert(name.clone(), short).is_none(), "{name} is an attribute and a block");
    }
    Ok(Value::Object(out))
}

/// The type that an attribute with nested attributes has.
fn nested_type(nested: &Value) -> Result<Value> {
    let mut fields = Map::new();
    for (name, attribute) in entries(&nested["attributes"]) {
        let ty = match attribute.get("type") {
            Some(ty) => ty.clone(),
            None => nested_type(&attribute["nested_type"])?,
        };
        fields.insert(name.clone(), ty);
    }
    let object = json!(["object", fields]);
    Ok(match nested["nesting_mode"].as_str() {
        Some("single") => object,
        Some(mode @ ("list" | "set" | "map")) => json!([mode, object]),
        mode => bail!("unknown nesting mode {mode:?}"),
    })
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The root of the package.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A scratch directory where Terraform runs with the provider installed; removed when dropped.
pub(crate) struct Workspace {
    pub(crate) dir: PathBuf,
}

impl Workspace {
    /// Initialises it; [`None`], with a message, where there is no Terraform. The provider comes from `TF_PLUGIN_DIR` if
    /// that is set, else from the registry.
    pub(crate) fn new(task: &str) -> Result<Option<Self>> {
        let Some(workspace) = Self::bare(task)? else { return Ok(None) };
        workspace.write(
            "providers.tf",
            &format!(
                r#"terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "{VERSION}"
    }}
  }}
}}
provider "aws" {{
  region                      = "us-east-1"
  access_key                  = "dummy"
  secret_key                  = "dummy"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
}}
"#
            ),
        )?;
        let plugins = std::env::var("TF_PLUGIN_DIR").map(|dir| format!("-plugin-dir={dir}"));
        let mut init = vec!["init", "-input=false", "-no-color"];
        init.extend(plugins.as_deref());
        workspace.terraform(&init)?;
        Ok(Some(workspace))
    }

    /// As [`Workspace::new`], without a provider but the built-in one.
    pub(crate) fn bare(task: &str) -> Result<Option<Self>> {
        if Command::new("terraform").arg("version").output().is_err() {
            eprintln!("{task}: skipped: no terraform on this machine");
            return Ok(None);
        }
        let dir = std::env::temp_dir().join(format!("airgate-{task}-{}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        Ok(Some(Self { dir }))
    }

    /// Writes a file into it.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.dir.join(name), text)?)
    }

    /// Runs Terraform.
    pub(crate) fn try_terraform(&self, args: &[&str]) -> Result<Output> {
        let mut terraform = Command::new("terraform");
        terraform.args(args).current_dir(&self.dir);
        terraform.env("TF_CLI_CONFIG_FILE", "/dev/null").env("TF_IN_AUTOMATION", "1");
        terraform.env("CHECKPOINT_DISABLE", "1").env("AWS_EC2_METADATA_DISABLED", "true");
        Ok(terraform.output()?)
    }

    /// Runs Terraform; that it fails is an error with what it said.
    pub(crate) fn terraform(&self, args: &[&str]) -> Result<Output> {
        let output = self.try_terraform(args)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "terraform {}: {said}", args.join(" "));
        Ok(output)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            eprintln!("{}: {error}", self.dir.display());
        }
    }
}
