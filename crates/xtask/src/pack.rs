//! From wasm modules to the files that a web server sends.
//!
//! `xtask-pack ROOT MODULES OUT` writes `OUT/dist/widget` (loader, glue, wasm; each also as `.br` and `.gz`, with
//! `integrity.json`), `OUT/dist/site` and `OUT/tests` (the modules that only tests load).

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha384};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(root), Some(modules), Some(out)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        bail!("usage: xtask-pack ROOT MODULES OUT (`cargo xtask web` calls it)");
    };
    let dist = out.join("dist");
    let fresh = out.join("dist.new");
    remove(&fresh)?;

    let widget = fresh.join("widget");
    bind(
        &modules.join("mailgrant_widget.wasm"),
        "mailgrant_widget",
        &widget,
    )?;
    optimise(&widget.join("mailgrant_widget_bg.wasm"));
    copy(&root.join("web/widget"), &widget)?;
    for script in ["mailgrant.js", "mailgrant_widget.js"] {
        let script = widget.join(script);
        fs::write(&script, without_comments(&fs::read_to_string(&script)?))?;
    }
    copy(&root.join("web/site"), &fresh.join("site"))?;
    let tests = out.join("tests");
    remove(&tests)?;
    bind(
        &modules.join("mailgrant_wasm_tests.wasm"),
        "mailgrant_wasm_tests",
        &tests,
    )?;

    let mut total = 0;
    let mut integrity = BTreeMap::new();
    for file in files(&fresh)? {
        let Some(sizes) = compress(&file)? else {
            continue;
        };
        if file.starts_with(&widget) {
            let name = file.strip_prefix(&widget)?.display().to_string();
            integrity.insert(name.clone(), sizes.integrity);
            if SHIPPED.contains(&name.as_str()) {
                total += sizes.brotli;
                println!(
                    "  {name}: {} B, gzip {}, brotli {}",
                    sizes.raw, sizes.gzip, sizes.brotli
                );
            }
        }
    }
    println!("  the widget whole: {total} B brotli");
    fs::write(
        widget.join("integrity.json"),
        serde_json::to_vec_pretty(&integrity)?,
    )?;
    remove(&dist)?;
    fs::rename(&fresh, &dist).context("cannot put the new web files in place")?;
    if total > GATE {
        bail!(
            "the widget is {total} B brotli; the gate is {GATE}. Make it smaller, or say why it may be larger"
        );
    }
    Ok(())
}

fn bind(module: &Path, name: &str, out: &Path) -> Result<()> {
    fs::create_dir_all(out)?;
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .out_name(name)
        .omit_default_module_path(false)
        .generate(out)
        .with_context(|| format!("wasm-bindgen on {}", module.display()))
}

/// Binaryen makes the module a tenth smaller; without it the module is as good, only larger.
fn optimise(module: &Path) {
    let smaller = module.with_extension("opt");
    let done = Command::new("wasm-opt")
        .args([
            "-Oz",
            "--enable-bulk-memory",
            "--enable-reference-types",
            "--enable-nontrapping-float-to-int",
            "--enable-sign-ext",
            "--enable-mutable-globals",
            "--enable-multivalue",
        ])
        .arg(module)
        .arg("-o")
        .arg(&smaller)
        .status()
        .is_ok_and(|status| status.success());
    let sound = done
        && externref_table(module).is_some()
        && externref_table(module) == externref_table(&smaller);
    if !sound || fs::rename(&smaller, module).is_err() {
        let _ = fs::remove_file(&smaller);
        println!(
            "  wasm-opt was not used{}",
            if done {
                ": it exports the wrong table"
            } else {
                ""
            }
        );
    }
}

/// Kind and index of the exported table of JavaScript values. Binaryen 108 (Debian 12) exports the table of functions
/// in its place, and the module fails as it starts.
fn externref_table(module: &Path) -> Option<[u8; 2]> {
    const NAME: &[u8] = b"__wbindgen_externrefs";
    let bytes = fs::read(module).ok()?;
    let at = bytes
        .windows(NAME.len())
        .position(|window| window == NAME)?
        + NAME.len();
    bytes.get(at..at + 2)?.try_into().ok()
}

/// The lines of a script without indentation and without those that are comment only. Enough for the loader and
/// wasm-bindgen's glue, of which a sixth is comments; neither has a line of text that begins like a comment.
fn without_comments(script: &str) -> String {
    let mut short = String::new();
    let mut inside = false;
    for line in script.lines().map(str::trim) {
        inside |= line.starts_with("/*");
        if !inside && !line.is_empty() && !line.starts_with("//") {
            short.push_str(line);
            short.push('\n');
        }
        inside &= !line.ends_with("*/");
    }
    short
}

struct Sizes {
    raw: usize,
    gzip: usize,
    brotli: usize,
    integrity: String,
}

/// `FILE.br` and `FILE.gz` beside a file that compresses.
fn compress(file: &Path) -> Result<Option<Sizes>> {
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    if !COMPRESSIBLE.contains(&extension.as_ref()) {
        return Ok(None);
    }
    let data = fs::read(file)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&data)?;
    let gzip = gzip.finish()?;
    let mut brotli = Vec::new();
    let quality = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut data.as_slice(), &mut brotli, &quality)?;
    let sizes = Sizes {
        raw: data.len(),
        gzip: gzip.len(),
        brotli: brotli.len(),
        integrity: format!("sha384-{}", STANDARD.encode(Sha384::digest(&data))),
    };
    fs::write(format!("{}.gz", file.display()), gzip)?;
    fs::write(format!("{}.br", file.display()), brotli)?;
    Ok(Some(sizes))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// What a page that shows the button loads.
const SHIPPED: [&str; 3] = [
    "mailgrant.js",
    "mailgrant_widget.js",
    "mailgrant_widget_bg.wasm",
];
const COMPRESSIBLE: [&str; 8] = ["js", "wasm", "css", "html", "json", "svg", "ts", "md"];
/// With the standard library that rustup ships; with one built for size the widget is three kilobytes smaller.
const GATE: usize = 36_000;
