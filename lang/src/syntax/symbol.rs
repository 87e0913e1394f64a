//! Interned names: a `Symbol` is a small number for a text, shared by the whole compiler.

use rustc_hash::FxHashMap;
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Symbol(pub u32);

/// The texts of all symbols.
#[derive(Debug, Default)]
pub struct Interner {
    symbols: FxHashMap<Rc<str>, Symbol>,
    texts: Vec<Rc<str>>,
}

impl Interner {
    pub fn new() -> Interner {
        Interner::default()
    }

    /// The symbol of a text; the same text always gives the same symbol.
    pub fn get(&mut self, text: &str) -> Symbol {
        if let Some(&symbol) = self.symbols.get(text) {
            return symbol;
        }
        let symbol = Symbol(self.texts.len() as u32);
        let text: Rc<str> = text.into();
        self.texts.push(text.clone());
        self.symbols.insert(text, symbol);
        symbol
    }

    /// The symbol of a text that may never have been interned.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.symbols.get(text).copied()
    }

    /// The text of a symbol that this interner gave.
    pub fn resolve(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.0 as usize]
    }
}
