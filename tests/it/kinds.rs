//! What stands at a path may become something of another kind: file, link, folder, submodule, and back. Each change is
//! committed and pushed, and brings what it brings.

use std::fs;

use crate::support::{Repo, token};

/// What can stand at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Nothing,
    File,
    Executable,
    Link,
    Folder,
    Submodule,
}
use Kind::{Executable, File, Folder, Link, Nothing, Submodule};

const KINDS: [Kind; 6] = [Nothing, File, Executable, Link, Folder, Submodule];
const ID_ELSEWHERE: &str = "1234567890123456789012345678901234567890";

/// Puts something of this kind at the path `x` of the index. A submodule has no text.
fn put(repo: &Repo, kind: Kind, text: &str) {
    repo.git(&["rm", "-r", "-q", "-f", "--cached", "--ignore-unmatch", "x"]).expect(0);
    let blob = crate::histories::feed(repo, &["hash-object", "-w", "--stdin"], text.as_bytes());
    let line = match kind {
        Nothing => return,
        File => format!("100644,{blob},x"),
        Executable => format!("100755,{blob},x"),
        Link => format!("120000,{blob},x"),
        Folder => format!("100644,{blob},x/deep/y"),
        Submodule => format!("160000,{ID_ELSEWHERE},x"),
    };
    repo.git(&["update-index", "--add", "--replace", "--cacheinfo", &line]).expect(0);
}

fn place(kind: Kind) -> &'static str {
    if kind == Folder { "x/deep/y:1:1" } else { "x:1:1" }
}

#[test]
fn whatever_something_becomes_a_new_secret_in_it_is_refused() {
    let (server, repo) = (Repo::server(), Repo::started());
    repo.has_remote(&server);
    let mut branch = 0;
    for from in KINDS {
        for to in KINDS.into_iter().filter(|to| *to != from && !matches!(to, Nothing | Submodule)) {
            branch += 1;
            repo.git(&["reset", "-q", "HEAD"]).expect(0);
            put(&repo, from, "clean\n");
            repo.git(&["commit", "-q", "--no-verify", "--allow-empty", "-m", "before"]).expect(0);
            put(&repo, to, &token(1));
            let told = repo.refuses(&["commit", "-q", "-m", "after"]);
            assert!(told.contains(place(to)) && told.contains("1 blocking"), "{from:?} to {to:?}: {told}");
            repo.git(&["commit", "-q", "--no-verify", "-m", "after"]).expect(0);
            let before = server.ask(&["for-each-ref"]);
            let pushed = repo.git(&["push", "-q", "--no-verify", "origin", &format!("HEAD:refs/heads/b{branch}")]);
            assert!(pushed.code != 0 && pushed.err.contains(&format!("{} in ", place(to))), "{from:?} to {to:?}: {}", pushed.err);
            assert_eq!(server.ask(&["for-each-ref"]), before);
            repo.git(&["reset", "-q", "--soft", "HEAD~2"]).expect(0);
        }
    }
    assert_eq!(branch, 20);
}

#[test]
fn whatever_something_becomes_an_old_secret_in_it_is_not_new() {
    let server = Repo::bare();
    let repo = Repo::started();
    repo.has_remote(&server);
    let mut branch = 0;
    for from in [File, Executable, Link, Folder] {
        for to in KINDS.into_iter().filter(|to| *to != from) {
            branch += 1;
            repo.git(&["reset", "-q", "HEAD"]).expect(0);
            put(&repo, from, &token(1));
            repo.git(&["commit", "-q", "--no-verify", "-m", "before"]).expect(0);
            repo.git(&["push", "-q", "--no-verify", "origin", &format!("+HEAD:refs/heads/b{branch}")]).expect(0);
            put(&repo, to, &token(1));
            repo.takes(&["commit", "-q", "-m", "after"]);
            repo.git(&["push", "-q", "origin", &format!("HEAD:refs/heads/b{branch}")]).expect(0);
            repo.git(&["reset", "-q", "--soft", "HEAD~2"]).expect(0);
        }
    }
    assert_eq!(branch, 20);
}

#[test]
fn a_rename_with_an_edit_is_refused_for_what_the_edit_brings() {
    let (server, repo) = (Repo::bare(), Repo::new());
    let prose: String = (0..40).map(|line| format!("line {line} of a text that stays as it is\n")).collect();
    repo.has_remote(&server);
    repo.accept("old/a.txt", format!("{prose}{}\n", token(1)));
    repo.git(&["push", "-q", "origin", "main"]).expect(0);
    server.leakstop(&["install", "--server", "."]).expect(0);
    repo.git(&["mv", "old", "new"]).expect(0);
    repo.accept("new/a.txt", format!("{prose}{}\n{}\n", token(1), token(2)));
    let told = repo.push_is_refused(&server, &["main"]);
    assert!(told.contains("new/a.txt:42:1 in ") && told.contains("1 blocking"), "{told}");
}

#[test]
fn a_commit_in_a_submodule_is_guarded_by_the_submodules_own_hooks() {
    let outer = Repo::started();
    let inner = Repo::new();
    inner.accept("a.txt", "hello\n");
    let address = inner.path().to_str().unwrap().to_owned();
    outer.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &address, "module"]).expect(0);
    outer.takes(&["commit", "-q", "-m", "add a submodule"]);
    assert!(outer.path().join("module/.git").is_file(), "its git folder lies elsewhere");
    let module = Repo::at(outer.path().join("module"));
    module.leakstop(&["install"]).expect(0);
    module.stage("b.txt", token(1));
    assert!(module.refuses(&["commit", "-q", "-m", "work"]).contains("b.txt:1:1"));
    module.stage("b.txt", "hello\n");
    module.takes(&["commit", "-q", "-m", "work"]);
    fs::write(outer.path().join("c.txt"), "hello\n").unwrap();
    outer.git(&["add", "-A"]).expect(0);
    outer.takes(&["commit", "-q", "-m", "move the submodule on"]);
}
