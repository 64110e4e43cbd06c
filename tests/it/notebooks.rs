//! Notebooks: a secret is found in source and in output, and the report says in which cell.

use serde_json::{Value, json};

use crate::support::{Repo, token};
use leakstop::rules::shape;

const COMMIT: [&str; 4] = ["commit", "-q", "-m", "work"];

fn notebook(cells: &Value) -> String {
    let book =
        json!({ "cells": cells, "metadata": { "kernelspec": { "name": "python3", "language": "python" } }, "nbformat": 4, "nbformat_minor": 5 });
    serde_json::to_string_pretty(&book).unwrap() + "\n"
}

fn code(lines: &[&str], outputs: &Value) -> Value {
    json!({ "cell_type": "code", "execution_count": 1, "metadata": {}, "source": lines, "outputs": outputs })
}

/// The line of the file that holds `what`, and the column where it begins.
fn place(text: &str, what: &str) -> String {
    let at = text.find(what).unwrap();
    let line = text[..at].matches('\n').count() + 1;
    format!("{line}:{}", at - text[..at].rfind('\n').unwrap())
}

#[test]
fn a_secret_in_source_is_refused_with_the_number_of_its_cell() {
    let repo = Repo::started();
    let text = notebook(&json!([
        { "cell_type": "markdown", "metadata": {}, "source": ["# Title\n"] },
        code(&["import os\n", &format!("token = \"{}\"\n", token(1))], &json!([])),
    ]));
    repo.stage("a.ipynb", &text);
    let told = repo.refuses(&COMMIT);
    assert!(told.contains(&format!("a.ipynb:{} (cell 2)  ghp_****", place(&text, &token(1)))), "{told}");
}

#[test]
fn a_secret_in_an_output_is_refused() {
    let repo = Repo::started();
    let outputs = json!([
        { "output_type": "stream", "name": "stdout", "text": ["ready\n", "token:\n", &format!("\t{}\n", token(1))] },
        { "output_type": "display_data", "data": { "image/png": "iVBORw0KGgo=", "text/plain": ["<Figure>"] }, "metadata": {} },
    ]);
    let text = notebook(&json!([code(&["login()\n"], &json!([])), code(&["show()\n"], &outputs)]));
    repo.stage("a.ipynb", &text);
    let told = repo.refuses(&COMMIT);
    assert!(told.contains(&format!("a.ipynb:{} (output of cell 2)  ghp_****", place(&text, &token(1)))), "{told}");
    let report = repo.report(&["scan", "a.ipynb"], 1);
    assert!(report["findings"][0]["message"].as_str().unwrap().ends_with(" It stands in the output of cell 2."), "{report}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn a_password_is_read_without_the_escapes_of_json() {
    let repo = Repo::started();
    let value = shape::fill("{alnum:6}\\{alnum:8}", 1);
    let line = format!("db_password = \"{}\"\n", value.replace('\\', "\\\\"));
    let text = notebook(&json!([code(&["x = 1\n", &line], &json!([]))]));
    repo.stage("a.ipynb", &text);
    let report = repo.report(&["scan", "a.ipynb"], 1);
    let finding = &report["findings"][0];
    let start = text.find(&value[..6]).unwrap();
    let line = text[..start].matches('\n').count() + 1;
    assert_eq!(finding["line"], line, "{report}");
    assert_eq!(finding["column"], start - text[..start].rfind('\n').unwrap());
    assert!(finding["message"].as_str().unwrap().ends_with(" It stands in cell 1."));
}

#[test]
fn a_rule_for_python_looks_into_cells() {
    let repo = Repo::started();
    let text = notebook(&json!([code(&["import os\n", "api_key = os.environ['API_KEY']\n", "print(api_key)\n"], &json!([]))]));
    repo.stage("a.ipynb", &text);
    let report = repo.report(&["scan", "--staged"], 1);
    let finding = &report["findings"][0];
    assert_eq!(finding["family"], "handling", "{report}");
    assert!(finding["message"].as_str().unwrap().ends_with(" It stands in cell 1."), "{report}");
}

#[test]
fn an_older_format_and_a_broken_one_hide_nothing() {
    let repo = Repo::started();
    let old =
        json!({ "worksheets": [{ "cells": [{ "cell_type": "code", "input": [format!("x = '{}'\n", token(1))], "outputs": [] }] }], "nbformat": 3 });
    repo.stage("a.ipynb", old.to_string());
    assert!(repo.refuses(&COMMIT).contains("(cell 1)  ghp_****"));
    let broken = notebook(&json!([code(&[&format!("x = '{}'\n", token(1))], &json!([]))]));
    repo.stage("a.ipynb", &broken[..broken.len() - 20]);
    assert!(repo.refuses(&COMMIT).contains("a.ipynb:"));
}

#[test]
fn what_a_cell_held_before_is_not_new() {
    let repo = Repo::guarded();
    let text = |more: &str| notebook(&json!([code(&[&format!("x = '{}'\n", token(1)), more], &json!([]))]));
    repo.accept("a.ipynb", text("print(1)\n"));
    repo.stage("a.ipynb", text("print(2)\n"));
    repo.takes(&COMMIT);
}
