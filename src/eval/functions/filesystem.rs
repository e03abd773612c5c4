//! Files of the analysed tree. What lies outside of it, or leads there by a symbolic link, is not read, nor what Git keeps
//! for itself: it is unknown.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::Digest;

use super::call::{Call, Outcome, string, unknown};
use super::{glob, hash};
use crate::value::{Cause, Type, Unknown, Value};

/// Larger files are not read.
const MAX_SIZE: u64 = 1 << 20;

/// A folder tree with more entries is not listed.
const MAX_ENTRIES: usize = 10_000;

/// Deeper folders are not listed.
const MAX_DEPTH: usize = 32;

/// Where a path leads.
enum Place {
    /// To this, inside the tree.
    Inside(PathBuf),
    /// Nowhere inside the tree.
    Missing,
    /// Out of the tree, or there is none.
    Outside,
}

fn find(call: &Call<'_>, path: &str) -> Place {
    let Some(directory) = call.directory else { return Place::Outside };
    let (Ok(start), Ok(root)) = (directory.path.canonicalize(), directory.tree.canonicalize()) else {
        return Place::Outside;
    };
    // An absolute path replaces the start here, and is inside only if it names something there.
    let joined = start.join(path);
    match joined.canonicalize() {
        Ok(real) if real.starts_with(&root) && !is_of_git(&root, &real) => Place::Inside(real),
        Ok(_) => Place::Outside,
        // Outside of the tree, whether something exists is no concern of ours either.
        Err(_) if is_inside(&root, &joined) => Place::Missing,
        Err(_) => Place::Outside,
    }
}

/// Whether a path that does not exist would lie under `root`: its nearest folder that exists does, and no `..` follows.
fn is_inside(root: &Path, path: &Path) -> bool {
    let existing = path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    existing.is_some_and(|(ancestor, real)| {
        let rest = path.strip_prefix(ancestor).unwrap_or(path);
        real.starts_with(root)
            && rest.components().all(|part| matches!(part, std::path::Component::Normal(_)))
    })
}

/// Whether Git keeps the path for itself, with the token that it fetched with.
fn is_of_git(root: &Path, path: &Path) -> bool {
    path.strip_prefix(root).unwrap_or(path).components().any(|part| part.as_os_str() == ".git")
}

fn not_read(call: &Call<'_>, ty: Type, why: &str) -> Value {
    let cause = Cause::Limit(why.into());
    Value::from_unknown(Unknown { cause, ..unknown(call.args, ty, true) })
}

const OUTSIDE: &str = "a file outside the analysed tree is not read";

/// What is said where there is no file. One that another resource or data source names may be made by it, as archives are.
fn missing(call: &Call<'_>) -> Outcome {
    match call.value(0).reference.as_deref() {
        Some(reference) => {
            let cause = Cause::Other(format!("the file that `{reference}` names is not there yet").into());
            Ok(Value::from_unknown(Unknown { cause, ..unknown(call.args, Type::String, true) }))
        }
        None => Err(format!("there is no file `{}`", call.text(0))),
    }
}

/// What `then` makes of the bytes of the file that the first argument names.
fn with_bytes(call: &Call<'_>, then: fn(Vec<u8>) -> Outcome) -> Outcome {
    let path = match find(call, call.text(0)) {
        Place::Inside(path) => path,
        Place::Missing => return missing(call),
        Place::Outside => return Ok(not_read(call, Type::String, OUTSIDE)),
    };
    // Devices and pipes would never end.
    if !path.is_file() {
        return Err(format!("`{}` is not a file", call.text(0)));
    }
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_SIZE + 1).read_to_end(&mut bytes));
    match read {
        Err(_) => Ok(not_read(call, Type::String, "the file cannot be read")),
        Ok(size) if size as u64 > MAX_SIZE => {
            Ok(not_read(call, Type::String, "a file of more than 1 MiB is not read"))
        }
        Ok(_) => then(bytes),
    }
}

pub(super) fn file(call: &Call<'_>) -> Outcome {
    with_bytes(call, |bytes| {
        let text = String::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text")?;
        Ok(string(text))
    })
}

pub(super) fn filebase64(call: &Call<'_>) -> Outcome {
    with_bytes(call, |bytes| Ok(Value::string(BASE64_STANDARD.encode(bytes))))
}

pub(super) fn filemd5(call: &Call<'_>) -> Outcome {
    with_bytes(call, |bytes| hex::<md5::Md5>(&bytes))
}

pub(super) fn filesha1(call: &Call<'_>) -> Outcome {
    with_bytes(call, |bytes| hex::<sha1::Sha1>(&bytes))
}

pub(super) fn filesha256(call: &Call<'_>) -> Outcome {
    with_bytes(call, |bytes| hex::<sha2::Sha256>(&bytes))
}

pub(super) fn filesha512(call: &Call<'_>) -> Outcome {
    with_bytes(call, |bytes| hex::<sha2::Sha512>(&bytes))
}

pub(super) fn filebase64sha256(call: &Call<'_>) -> Outcome {
    with_bytes(call, |bytes| hash::base64::<sha2::Sha256>(&bytes))
}

pub(super) fn filebase64sha512(call: &Call<'_>) -> Outcome {
    with_bytes(call, |bytes| hash::base64::<sha2::Sha512>(&bytes))
}

fn hex<D: Digest>(bytes: &[u8]) -> Outcome {
    hash::hex::<D>(bytes)
}

pub(super) fn fileexists(call: &Call<'_>) -> Outcome {
    match find(call, call.text(0)) {
        Place::Inside(path) if path.is_file() => Ok(Value::bool(true)),
        Place::Inside(_) => Err(format!("`{}` is not a file", call.text(0))),
        Place::Missing => Ok(Value::bool(false)),
        Place::Outside => Ok(not_read(call, Type::Bool, OUTSIDE)),
    }
}

pub(super) fn fileset(call: &Call<'_>) -> Outcome {
    let strings = || Type::set(Type::String);
    let root = match find(call, call.text(0)) {
        Place::Inside(path) => path,
        Place::Missing => return Ok(Value::set([])),
        Place::Outside => return Ok(not_read(call, strings(), OUTSIDE)),
    };
    let Some(pattern) = glob::Pattern::parse(call.text(1)) else {
        return Ok(call.not_evaluated(strings()));
    };
    let mut names = Vec::new();
    let mut seen = 0;
    if !list(&root, &root, 0, &mut seen, &mut names) {
        return Ok(call.limited(&format!("{MAX_ENTRIES} entries"), strings()));
    }
    names.retain(|name| pattern.matches(name));
    Ok(Value::set(names.into_iter().map(string)))
}

/// Adds the paths of all files under `folder`, relative to `root`, and tells whether these are all. Links are followed
/// only to files of the root.
fn list(root: &Path, folder: &Path, depth: usize, seen: &mut usize, names: &mut Vec<String>) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return true;
    };
    for entry in entries.flatten() {
        *seen += 1;
        if *seen > MAX_ENTRIES || depth > MAX_DEPTH {
            return false;
        }
        let path = entry.path();
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            if !list(root, &path, depth + 1, seen, names) {
                return false;
            }
        } else if path.canonicalize().is_ok_and(|real| real.starts_with(root) && real.is_file()) {
            let parts = path.strip_prefix(root).unwrap_or(&path).components();
            let name: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
            names.push(name.join("/"));
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::call as call_function;
    use super::*;
    use crate::eval::Directory;

    /// A folder of the test's own, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("airgate-{name}-{}", std::process::id()));
            std::fs::create_dir_all(path.join("root/sub")).unwrap();
            std::fs::write(path.join("secret.txt"), "secret").unwrap();
            std::fs::write(path.join("root/a.txt"), "héllo\n").unwrap();
            std::fs::write(path.join("root/sub/b.json"), "{}").unwrap();
            std::fs::write(path.join("root/binary"), [0xff, 0xfe]).unwrap();
            Self(path)
        }

        fn call(&self, name: &str, args: &[&str]) -> Result<Value, String> {
            let args: Vec<Value> = args.iter().map(|arg| Value::string(*arg)).collect();
            let root = self.0.join("root");
            let directory = Directory { path: &root, tree: &root };
            call_function(name, &args, Some(directory)).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn text(value: &Result<Value, String>) -> Option<&str> {
        value.as_ref().ok()?.as_str()
    }

    #[test]
    fn files_inside_are_read() {
        let folder = Folder::new("read");
        assert_eq!(text(&folder.call("file", &["a.txt"])), Some("héllo\n"));
        assert_eq!(text(&folder.call("file", &["sub/../a.txt"])), Some("héllo\n"));
        assert_eq!(text(&folder.call("filebase64", &["binary"])), Some("//4="));
        assert_eq!(text(&folder.call("filemd5", &["sub/b.json"])), Some("99914b932bd37a50b983c5e7c90ae93b"));
        assert_eq!(folder.call("fileexists", &["a.txt"]).unwrap().as_bool(), Some(true));
        assert_eq!(folder.call("fileexists", &["none"]).unwrap().as_bool(), Some(false));
        for wrong in ["none", "sub", "binary"] {
            assert!(folder.call("file", &[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_outside_is_read() {
        let folder = Folder::new("outside");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../secret.txt", folder.0.join("root/link")).unwrap();
            std::os::unix::fs::symlink("..", folder.0.join("root/up")).unwrap();
        }
        #[cfg(unix)]
        let paths = ["../secret.txt", "link", "up/secret.txt", "up/none", "../none", "sub/../../none"];
        #[cfg(not(unix))]
        let paths = ["../secret.txt", "../none"];
        for path in paths {
            for function in ["file", "fileexists", "filesha256"] {
                let value = folder.call(function, &[path]).unwrap();
                assert!(value.is_unknown(), "{function} {path}");
            }
        }
        assert!(folder.call("file", &[folder.0.join("secret.txt").to_str().unwrap()]).unwrap().is_unknown());
        assert!(folder.call("fileset", &["..", "*"]).unwrap().is_unknown());
        assert!(call_function("file", &[Value::string("a.txt")], None).unwrap().unwrap().is_unknown());
        let listed = folder.call("fileset", &[".", "**"]).unwrap();
        let names: Vec<_> = listed.items().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(names, ["a.txt", "binary", "sub/b.json"]);
    }

    #[test]
    fn large_files_are_unknown() {
        let folder = Folder::new("large");
        std::fs::write(folder.0.join("root/large"), vec![b'a'; 1 << 20]).unwrap();
        assert_eq!(text(&folder.call("file", &["large"])).map(str::len), Some(1 << 20));
        std::fs::write(folder.0.join("root/large"), vec![b'a'; (1 << 20) + 1]).unwrap();
        assert!(folder.call("file", &["large"]).unwrap().is_unknown());
    }
}
