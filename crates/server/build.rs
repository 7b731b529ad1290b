//! Makes sure that the folder of the built widget exists, so that embedding it never fails.

use std::path::Path;

fn main() {
    let widget = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/web/dist/widget");
    if let Err(error) = std::fs::create_dir_all(&widget) {
        println!("cargo::warning=cannot create {}: {error}", widget.display());
    }
    println!("cargo::rerun-if-changed={}", widget.display());
}
