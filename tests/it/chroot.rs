//! The static binary needs nothing beside it: as `pre-receive` of a real push it runs in a folder that holds only the binary and
//! the bare repository, as on servers that give hooks no more.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Repo, command, ended, token};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds it with everything linked in, without optimisation, below the tests' own target folder.
fn static_binary() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("static");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--offline", "--bin", "leakstop", "--target", TARGET, "--target-dir"]).arg(&folder);
    cargo.args(["--config", "profile.dev.package.\"*\".opt-level=0", "--config", "profile.dev.debug=false"]);
    // What the outer cargo set for this package is not for the inner one.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        cargo.env_remove(name);
    }
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static").env_remove("CARGO_ENCODED_RUSTFLAGS").current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "the static binary does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    folder.join(TARGET).join("debug/leakstop")
}

fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// The ways into a chroot that this machine allows: as root, and as root of a user namespace, which needs no privilege.
fn ways() -> Vec<&'static str> {
    let mut ways = Vec::new();
    if works("chroot", &["/", "/bin/true"]) {
        ways.push("chroot");
    }
    if works("unshare", &["-r", "chroot", "/", "/bin/true"]) {
        ways.push("unshare -r chroot");
    }
    ways
}

#[test]
fn the_static_binary_guards_a_push_from_an_empty_chroot() {
    let ways = ways();
    if ways.is_empty() {
        let id = Command::new("id").arg("-u").output().unwrap().stdout;
        assert_ne!(id, b"0\n", "root, and yet no chroot: this machine cannot prove the static binary");
        // Seen with `--nocapture`; the build is still proved.
        assert!(static_binary().is_file());
        return;
    }
    let binary = static_binary();
    for way in ways {
        let beside = Repo::new();
        let root = beside.beside("root");
        fs::create_dir(&root).unwrap();
        fs::copy(&binary, root.join("leakstop")).unwrap();
        let home = beside.beside("home");
        ended(command("git", &root, &home).args(["init", "-q", "--bare", "-b", "main", "--template=", "server.git"])).expect(0);
        let server = Repo::at(root.join("server.git"));
        let path = root.display();
        // git names the folders as it sees them; inside of the chroot they begin at its root.
        // A deletion brings no objects, and then they are not set.
        let inside = |name: &str| format!("[ -z \"${name}\" ] || {name}=${{{name}#'{path}'}}\n");
        let hook = format!(
            "#!/bin/sh\n{}{}{}GIT_DIR=/server.git; export GIT_DIR\nexec {way} '{path}' /leakstop hook pre-receive\n",
            inside("GIT_OBJECT_DIRECTORY"),
            inside("GIT_ALTERNATE_OBJECT_DIRECTORIES"),
            inside("GIT_QUARANTINE_PATH"),
        );
        // The hook's shell stands outside: in the chroot there is none.
        let hooks = beside.beside("hooks");
        fs::create_dir(&hooks).unwrap();
        fs::write(hooks.join("pre-receive"), hook).unwrap();
        fs::set_permissions(hooks.join("pre-receive"), fs::Permissions::from_mode(0o755)).unwrap();
        server.git(&["config", "core.hooksPath", hooks.to_str().unwrap()]).expect(0);
        let repo = Repo::with_remote(&server);
        repo.accept("README", "hello\n");
        repo.push_passes(&["main"]);
        repo.accept("deep/a.txt", format!("key = {}\n", token(1)));
        repo.accept("deep/a.txt", "gone\n");
        let told = repo.push_is_refused(&server, &["main"]);
        assert!(told.contains("deep/a.txt:1:7"), "{way}: {told}");
        // A push of nothing but a deletion, and one too broken to be read.
        repo.push_passes(&["main~2:refs/heads/old"]);
        repo.push_passes(&[":refs/heads/old"]);
        server.write("leakstop.toml", "[servr]\n");
        let broken = repo.git(&["push", "-q", "--no-verify", "origin", "main~2:refs/heads/old"]);
        assert!(broken.code != 0 && broken.err.contains("unknown field `servr`"), "{way}: {}", broken.err);
        let mut held: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        held.sort();
        assert_eq!(held, ["leakstop", "server.git"]);
    }
}
