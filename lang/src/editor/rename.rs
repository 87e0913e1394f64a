//! Renaming: all places of a name at once, checked by looking at the program that would result.
use super::Analysis;
use crate::check::{Member, MemberKind};
use crate::diagnostic::Severity;
use crate::highlight::KEYWORDS;
use crate::package::{PackageFiles, PackageSource};
use crate::source::{FileId, SourceMap, Span};
use std::fmt;

/// A text in a span's place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

/// Why something cannot be renamed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RenameError {
    /// The new name is none.
    NotAName(String),
    /// There is no name at the place, or it is not declared in the program under this name.
    NotDeclared,
    /// An embedded field, whose name is that of its type.
    Embedded(String),
    /// A persistent field that shares its declaration, and so the tag with its old name, with others.
    SharedTag(String),
    /// The program would have this error.
    Breaks(String, String),
    /// The new name would mean something else, or other names would.
    Confuses(String),
}

impl fmt::Display for RenameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RenameError::NotAName(name) => write!(f, "{name} is no name"),
            RenameError::NotDeclared => {
                write!(f, "this is no name that is declared in the program")
            }
            RenameError::Embedded(name) => {
                write!(
                    f,
                    "the field is embedded: its name is that of its type {name}"
                )
            }
            RenameError::SharedTag(name) => write!(
                f,
                "the heap knows this field as {name}, which a tag must say: give it a line of its own first"
            ),
            RenameError::Breaks(name, error) => write!(f, "cannot rename to {name}: {error}"),
            RenameError::Confuses(name) => {
                write!(
                    f,
                    "cannot rename to {name}: it is the name of something else here"
                )
            }
        }
    }
}

impl Analysis {
    /// The place of the name that could be renamed here.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn renamable(&self, file: FileId, offset: u32) -> Result<Span, RenameError> {
        let (span, definition) = self.declared_here(file, offset)?;
        match self.names.member(definition) {
            Some(member) if member.kind == MemberKind::Embedded => {
                let ty = self.sources().text(member.ty).to_string();
                Err(RenameError::Embedded(ty))
            }
            _ => Ok(span),
        }
    }

    /// Names that are declared in the program under this very name; an import's may not be.
    fn declared_here(&self, file: FileId, offset: u32) -> Result<(Span, Span), RenameError> {
        let found = self.names.at(file, offset);
        let (span, target) = found.ok_or(RenameError::NotDeclared)?;
        let definition = self.own_definition(target);
        let same =
            |definition: &Span| self.sources().text(*definition) == self.sources().text(span);
        let definition = definition.filter(same).ok_or(RenameError::NotDeclared)?;
        Ok((span, definition))
    }

    /// Gives the name at a place another one, everywhere. A field of a type that a heap may hold gets a tag with its
    /// old name (LANGUAGE.md §6). `dir` and `source` are as for `new`.
    ///
    /// # Errors
    /// Why it cannot be; the program would not be the same.
    pub fn rename(
        &self,
        file: FileId,
        offset: u32,
        name: &str,
        dir: &str,
        source: &dyn PackageSource,
    ) -> Result<Vec<Edit>, RenameError> {
        let is_start = |c: char| c.is_alphabetic() || c == '_';
        let is_name = name.starts_with(is_start)
            && name.chars().all(|c| is_start(c) || c.is_numeric())
            && !KEYWORDS.contains(&name)
            && name != "_";
        if !is_name {
            return Err(RenameError::NotAName(name.to_string()));
        }
        self.renamable(file, offset)?;
        let (_, definition) = self.declared_here(file, offset)?;
        let mut places = self.names.of(definition).to_vec();
        // A type's name is that of the fields that embed it.
        let embedded = places.iter().filter(|span| {
            let member = self.names.member(**span);
            member.is_some_and(|member| member.kind == MemberKind::Embedded)
        });
        let embedded: Vec<Span> = embedded
            .flat_map(|at| self.names.of(*at))
            .copied()
            .collect();
        places.extend(embedded);
        places.sort();
        places.dedup();
        let text = |span: &Span| Edit {
            span: *span,
            text: name.to_string(),
        };
        let mut edits: Vec<Edit> = places.iter().map(text).collect();
        for member in places.iter().filter_map(|at| self.names.member(*at)) {
            if member.is_stored && self.sources().text(definition) != name {
                edits.extend(self.former_name(member)?);
            }
        }
        edits.sort_by_key(|edit| edit.span);
        self.verify(&edits, &places, definition, name, dir, source)?;
        Ok(edits)
    }

    /// The tag that tells a heap a field's old name.
    fn former_name(&self, member: &Member) -> Result<Option<Edit>, RenameError> {
        let old = self.sources().text(member.name.span);
        if !member.is_alone {
            return Err(RenameError::SharedTag(old.to_string()));
        }
        let Some(tag) = member.tag else {
            let text = format!(" `pmem:\"was={old}\"`");
            return Ok(Some(Edit {
                span: member.ty.end(),
                text,
            }));
        };
        let written = self.sources().text(tag);
        let Some(inner) = written.strip_prefix('`') else {
            // Rewritten, it is easier to read.
            let value = crate::syntax::literal::string_value(written);
            let value = String::from_utf8_lossy(&value);
            let text = format!("`{}`", with_former(&value, old));
            return Ok(Some(Edit { span: tag, text }));
        };
        let text = with_former(inner.trim_end_matches('`'), old);
        Ok(Some(Edit {
            span: tag,
            text: format!("`{text}`"),
        }))
    }

    /// Looks at the program with the edits: it has no new errors, and the new name is in the places of the old one.
    fn verify(
        &self,
        edits: &[Edit],
        places: &[Span],
        definition: Span,
        name: &str,
        dir: &str,
        source: &dyn PackageSource,
    ) -> Result<(), RenameError> {
        let edited = Edited {
            sources: self.sources(),
            edits,
            source,
        };
        let files = self.sources().files().take(self.own_len);
        let files = files.map(|(_, f)| {
            let text = edited.text(f.name(), f.text().as_bytes().to_vec());
            (f.name().to_string(), text)
        });
        let after = Analysis::new(files.collect(), dir, &edited);
        let errors = |a: &Analysis| {
            let all = a.diagnostics.iter();
            let errors = all.filter(|d| d.severity == Severity::Error);
            errors.map(|d| d.message.clone()).collect::<Vec<_>>()
        };
        let (old, new) = (errors(self), errors(&after));
        if new.len() > old.len() {
            let error = new.into_iter().find(|message| !old.contains(message));
            let error = error.unwrap_or_default();
            return Err(RenameError::Breaks(name.to_string(), error));
        }
        let shift = |span: &Span| {
            let before = edits
                .iter()
                .filter(|e| e.span.file == span.file && e.span < *span);
            let moved: i64 = before
                .map(|e| e.text.len() as i64 - i64::from(e.span.hi - e.span.lo))
                .sum();
            let lo = (i64::from(span.lo) + moved) as u32;
            Span::new(span.file, lo, lo + name.len() as u32)
        };
        let mut found = after.names.of(shift(&definition)).to_vec();
        let fields = places.iter().map(shift);
        found.extend(
            fields
                .filter(|at| after.names.member(*at).is_some())
                .flat_map(|at| {
                    let own = after.names.of(at).to_vec();
                    own.into_iter()
                }),
        );
        found.sort();
        found.dedup();
        match found == places.iter().map(shift).collect::<Vec<_>>() {
            true => Ok(()),
            false => Err(RenameError::Confuses(name.to_string())),
        }
    }
}

/// A tag with a former name more.
fn with_former(tag: &str, old: &str) -> String {
    match tag.split_once("pmem:\"") {
        Some((before, after)) => format!("{before}pmem:\"was={old},{after}"),
        None => format!("pmem:\"was={old}\" {tag}"),
    }
}

/// The packages as they would be with the edits.
struct Edited<'a> {
    sources: &'a SourceMap,
    edits: &'a [Edit],
    source: &'a dyn PackageSource,
}

impl Edited<'_> {
    fn text(&self, name: &str, text: Vec<u8>) -> Vec<u8> {
        let mut files = self.sources.files();
        let file = files.find(|(_, f)| !f.is_library() && f.name() == name);
        let Some((file, known)) = file else {
            return text;
        };
        let own: Vec<&Edit> = self.edits.iter().filter(|e| e.span.file == file).collect();
        if own.is_empty() {
            return text;
        }
        let mut text = known.text().to_string();
        for edit in own.iter().rev() {
            text.replace_range(edit.span.lo as usize..edit.span.hi as usize, &edit.text);
        }
        text.into_bytes()
    }
}

impl PackageSource for Edited<'_> {
    fn load(&self, import_path: &str, from_dir: &str) -> Result<PackageFiles, String> {
        let mut package = self.source.load(import_path, from_dir)?;
        if !package.is_library {
            for (name, text) in &mut package.files {
                *text = self.text(name, std::mem::take(text));
            }
        }
        Ok(package)
    }
}
