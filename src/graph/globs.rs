//! Edges that a pattern of names makes: policies of OpenSearch Serverless name collections by globs inside of JSON
//! (`collection/docs*`, `index/docs/*`), and never by reference.

use smol_str::SmolStr;

use super::literals::text;
use super::patterns::ByName;
use super::{Edge, ResourceGraph};
use crate::catalog::LinkKind;
use crate::value::Value;
use crate::value::json::{self, Dialect};

/// The policies; each configures the collections that its `policy` names.
const POLICIES: [&str; 3] = [
    "aws_opensearchserverless_access_policy",
    "aws_opensearchserverless_lifecycle_policy",
    "aws_opensearchserverless_security_policy",
];
const COLLECTION: &str = "aws_opensearchserverless_collection";
/// Where patterns stand.
const PATH: &str = "policy";
/// A document nests no deeper.
const MAX_DEPTH: usize = 8;

/// Joins every policy to the collections that it names.
pub(super) fn connect(this: &mut ResourceGraph) {
    let mut collections = ByName::default();
    for &node in this.by_type(COLLECTION) {
        let Some(resource) = this.resource(node) else { continue };
        if let Some(name) = resource.after.as_ref().and_then(|after| text(after.get("name")?)) {
            collections.insert(name, &resource.module, node);
        }
    }
    if collections.is_empty() {
        return;
    }
    let policies = POLICIES.iter().flat_map(|name| this.by_type(name)).copied();
    let mut found = Vec::new();
    for node in policies {
        let Some(resource) = this.resource(node) else { continue };
        let policy = resource.after.as_ref().and_then(|after| after.get(PATH));
        let Some(document) = policy.and_then(|policy| json::told(policy, Dialect::Terraform)) else {
            continue;
        };
        let mut patterns = Vec::new();
        resources(&document, 0, &mut patterns);
        patterns.sort();
        patterns.dedup();
        for pattern in &patterns {
            let named = collections.matching(pattern, &resource.module);
            found.extend(named.into_iter().map(|target| (node, target)));
        }
    }
    for (source, target) in found {
        this.connect(source, target, Edge { kind: LinkKind::Attachment, path: SmolStr::new_static(PATH) });
    }
}

/// The patterns of collection names in all `Resource` lists of a document.
fn resources(value: &Value, depth: usize, out: &mut Vec<SmolStr>) {
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(items) = value.items() {
        return items.iter().for_each(|item| resources(item, depth + 1, out));
    }
    for (name, item) in value.map().into_iter().flat_map(crate::value::Map::iter) {
        if name == "Resource" {
            let names = item.items().unwrap_or(std::slice::from_ref(item)).iter().filter_map(text);
            out.extend(names.filter_map(|name| {
                // `collection/NAME`, `index/NAME/INDEX`; the pattern of a name ends where the index begins.
                let rest = name.strip_prefix("collection/").or_else(|| name.strip_prefix("index/"))?;
                Some(SmolStr::from(rest.split('/').next().unwrap_or(rest)))
            }));
        } else {
            resources(item, depth + 1, out);
        }
    }
}
