//! The corpora of the fuzz targets, run with the ordinary compiler: what once went wrong stays right.

use std::fs;
use std::path::Path;

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;

#[test]
fn every_target_takes_its_corpus() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, target) in bodies::ALL {
        target(b"");
        let inputs: Vec<_> = fs::read_dir(corpora.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for input in inputs {
            let bytes = fs::read(&input).unwrap();
            assert!(std::panic::catch_unwind(|| target(&bytes)).is_ok(), "{name} fails on {}", input.display());
        }
    }
}

#[test]
fn every_target_is_declared_and_has_its_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let listed = |name: &str| fs::read_dir(folder.join(name)).unwrap().count();
    for (name, _) in bodies::ALL {
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"targets/{name}.rs\"")), "{name}");
    }
    assert_eq!((listed("targets"), listed("corpus")), (bodies::ALL.len(), bodies::ALL.len()));
}
