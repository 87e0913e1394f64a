//! `pgo build`: this executable with a program's sources behind it; started, it runs that program.
//!
//! Behind the executable: the texts, their length (8 bytes, little endian), `MAGIC`.
use crate::cli::HeapArgs;
use crate::packages::{Input, Packages, input_from_paths, reason};
use crate::render;
use crate::run::{self, STATUS_NOT_COMPILED, fail};
use lang::package::{PackageFiles, PackageSource};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 16] = b"\npgo bundle 0001";
const FOOTER_BYTES: u64 = 8 + MAGIC.len() as u64;

/// A local package by what imports it: the path, and the importing folder.
type Imports = BTreeMap<(String, String), PackageFiles>;

/// Passes packages on and keeps the local ones.
struct Recorder {
    packages: Packages,
    local: RefCell<Imports>,
}

impl PackageSource for Recorder {
    fn load(&self, import_path: &str, from_dir: &str) -> Result<PackageFiles, String> {
        let found = self.packages.load(import_path, from_dir)?;
        if !found.is_library {
            let key = (import_path.to_string(), from_dir.to_string());
            self.local.borrow_mut().insert(key, found.clone());
        }
        Ok(found)
    }
}

/// A program with the local packages that it imports.
struct Bundle {
    input: Input,
    local: Imports,
}

impl PackageSource for Bundle {
    fn load(&self, import_path: &str, from_dir: &str) -> Result<PackageFiles, String> {
        let key = (import_path.to_string(), from_dir.to_string());
        match self.local.get(&key) {
            Some(found) => Ok(found.clone()),
            None => Packages::of_program(".").load(import_path, ""),
        }
    }
}

/// `pgo build FILE… -o OUT`. Gives the exit status.
pub fn build(paths: &[String], out: Option<&Path>) -> i32 {
    let input = match input_from_paths(paths) {
        Ok(input) => input,
        Err(message) => return fail(&message),
    };
    let recorder = Recorder {
        packages: Packages::of_program(&input.dir),
        local: RefCell::default(),
    };
    if let Err(failure) = lang::compile(input.files.clone(), &input.dir, &recorder) {
        render::report(&failure.diagnostics, &failure.sources, render::ERRORS_MAX);
        return STATUS_NOT_COMPILED;
    }
    let stem = input.heap_stem.clone().unwrap_or_default();
    let out = out.map_or_else(|| PathBuf::from(stem), Path::to_path_buf);
    let bundle = Bundle {
        input,
        local: recorder.local.into_inner(),
    };
    match write(&bundle, &out) {
        Ok(()) => 0,
        Err(e) => fail(&format!("{}: {}", out.display(), reason(&e))),
    }
}

/// The whole file is there at once, or not at all.
fn write(bundle: &Bundle, out: &Path) -> std::io::Result<()> {
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let new = out.with_file_name(name);
    fs::copy(std::env::current_exe()?, &new)?;
    let written = (|| {
        let mut file = OpenOptions::new().append(true).open(&new)?;
        let texts = encode(bundle);
        file.write_all(&texts)?;
        file.write_all(&(texts.len() as u64).to_le_bytes())?;
        file.write_all(MAGIC)?;
        file.sync_all()?;
        fs::rename(&new, out)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

/// Runs the program that this executable carries, if it does; gives the exit status.
pub fn run_own() -> Option<i32> {
    let texts = own_texts()?;
    let Some(bundle) = decode(&texts) else {
        return Some(fail("the program in this executable is damaged"));
    };
    let mut args = std::env::args();
    let name = args.next().unwrap_or_default();
    let mut argv = vec![name];
    argv.extend(args);
    let heap = HeapArgs::default();
    let choice = run::heap_choice(&heap, bundle.input.heap_stem.as_deref());
    let files = bundle.input.files.clone();
    let compiled = lang::compile(files, &bundle.input.dir, &bundle);
    Some(run::run_compiled(compiled, argv, choice, &heap))
}

fn own_texts() -> Option<Vec<u8>> {
    let mut file = File::open(std::env::current_exe().ok()?).ok()?;
    let len = file.seek(SeekFrom::End(0)).ok()?;
    file.seek(SeekFrom::Start(len.checked_sub(FOOTER_BYTES)?))
        .ok()?;
    let mut footer = [0; FOOTER_BYTES as usize];
    file.read_exact(&mut footer).ok()?;
    let (size, magic) = footer.split_at(8);
    if magic != MAGIC {
        return None;
    }
    let size = u64::from_le_bytes(size.try_into().ok()?);
    let start = (len - FOOTER_BYTES).checked_sub(size)?;
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut texts = Vec::new();
    file.take(size).read_to_end(&mut texts).ok()?;
    Some(texts)
}

// Texts with their lengths before them, lists with their numbers of elements.

fn put(out: &mut Vec<u8>, text: &[u8]) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text);
}

fn put_files(out: &mut Vec<u8>, files: &[(String, Vec<u8>)]) {
    out.extend((files.len() as u64).to_le_bytes());
    for (name, text) in files {
        put(out, name.as_bytes());
        put(out, text);
    }
}

fn encode(bundle: &Bundle) -> Vec<u8> {
    let mut out = Vec::new();
    let input = &bundle.input;
    let stem = input.heap_stem.as_deref().unwrap_or_default();
    for text in [&input.dir, &input.name, stem] {
        put(&mut out, text.as_bytes());
    }
    put_files(&mut out, &input.files);
    out.extend((bundle.local.len() as u64).to_le_bytes());
    for ((import_path, from_dir), package) in &bundle.local {
        for text in [import_path, from_dir, &package.path, &package.dir] {
            put(&mut out, text.as_bytes());
        }
        put_files(&mut out, &package.files);
    }
    out
}

struct Decoder<'a>(&'a [u8]);

impl Decoder<'_> {
    fn number(&mut self) -> Option<usize> {
        let (first, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        usize::try_from(u64::from_le_bytes(*first)).ok()
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let len = self.number()?;
        let (first, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(first.to_vec())
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?).ok()
    }

    fn files(&mut self) -> Option<Vec<(String, Vec<u8>)>> {
        let n = self.number()?;
        (0..n)
            .map(|_| Some((self.text()?, self.bytes()?)))
            .collect()
    }
}

fn decode(texts: &[u8]) -> Option<Bundle> {
    let mut d = Decoder(texts);
    let (dir, name, stem) = (d.text()?, d.text()?, d.text()?);
    let input = Input {
        files: d.files()?,
        dir,
        name,
        heap_stem: Some(stem),
    };
    let n = d.number()?;
    let mut local = Imports::new();
    for _ in 0..n {
        let key = (d.text()?, d.text()?);
        let (path, dir) = (d.text()?, d.text()?);
        let package = PackageFiles {
            path,
            dir,
            files: d.files()?,
            is_library: false,
        };
        local.insert(key, package);
    }
    Some(Bundle { input, local })
}
