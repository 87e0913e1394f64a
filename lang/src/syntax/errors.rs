//! Go's wording for a syntax error, from the tokens that the grammar would have taken and the
//! brackets around the one it got.

use super::symbol::Interner;
use super::token::{Lexeme, Semicolon, Token};

/// An unexpected token.
pub struct SyntaxError<'a> {
    pub tokens: &'a [Lexeme],
    /// Where the declaration or statement begins that was being parsed.
    pub start: usize,
    /// The unexpected token.
    pub at: usize,
    /// A declaration at top level, not a statement.
    pub top_level: bool,
    /// The grammar's names of what could have stood there, in quotes.
    pub expected: &'a [String],
}

/// What the innermost open bracket is.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Nothing,
    Paren,
    /// `(` of `import (`, `const (`, …
    Group,
    Bracket,
    Struct,
    Interface,
    Switch,
    Select,
    /// A block or a composite literal.
    Brace,
}

impl SyntaxError<'_> {
    /// The text after `syntax error: `.
    pub fn message(&self, interner: &Interner) -> String {
        let before = (self.at > self.start).then(|| self.tokens[self.at - 1].token);
        if let Some(message) = self.plain(before) {
            return message;
        }
        let found = self.tokens[self.at].token.describe(interner);
        format!("unexpected {found}{}", self.instead(before))
    }

    /// The messages that do not name the unexpected token.
    fn plain(&self, before: Option<Token>) -> Option<String> {
        let before = before?;
        let found = self.tokens[self.at].token;
        let ty = self.can_be("map") && !self.can_be("int");
        let header = self.header();
        let message = match before {
            Token::Else => "else must be followed by if or statement block",
            Token::Chan if ty => "missing channel element type",
            Token::Arrow if ty && self.at >= 2 && self.tokens[self.at - 2].token == Token::Chan => {
                "missing channel element type"
            }
            Token::Ellipsis if ty => "... is missing type",
            _ if self.can_be("string") && !self.can_be("int") && !self.can_be(";") => match found {
                Token::Int(_) | Token::Float(_) | Token::Imaginary(_) | Token::Rune(_) => {
                    "import path must be a string"
                }
                _ => "missing import path; require quoted string",
            },
            Token::If | Token::For | Token::Switch if found == Token::Var => {
                let keyword = before.keyword().unwrap_or_default();
                return Some(format!(
                    "var declaration not allowed in {keyword} initializer"
                ));
            }
            _ if header == Some(Token::Switch) && self.can_be("{") => {
                "missing { after switch clause"
            }
            Token::Select => "missing { after select clause",
            _ => return None,
        };
        Some(message.to_owned())
    }

    fn can_be(&self, terminal: &str) -> bool {
        self.expected
            .iter()
            .any(|e| e.trim_matches('"') == terminal)
    }

    /// What follows `unexpected X`.
    fn instead(&self, before: Option<Token>) -> String {
        let within = self.within();
        let statement = self.can_be("if");
        let expression = self.can_be("int");
        let operator = self.can_be("&&");
        let ty = self.can_be("map");
        if statement {
            return match within {
                Within::Nothing => ", expected statement".to_owned(),
                _ => ", expected }".to_owned(),
            };
        }
        if self.can_be("case") {
            return ", expected case or default or }".to_owned();
        }
        if self.can_be("import") {
            return " after top level declaration".to_owned();
        }
        if matches!(before, Some(Token::Ident(_))) && ty && self.is_type_name() {
            return " in type declaration".to_owned();
        }
        if let Some(text) = self.list_context(within) {
            return text;
        }
        if let Some(keyword) = self.header().filter(|_| self.can_be("{"))
            && (operator || !expression)
        {
            return format!(
                ", expected {{ after {} clause",
                keyword.keyword().unwrap_or_default()
            );
        }
        if self.header() == Some(Token::For)
            && self.tokens[self.at].token == Token::LBrace
            && matches!(before, Some(Token::Semi(_)))
        {
            return ", expected for loop condition".to_owned();
        }
        if self.header() == Some(Token::For)
            && self.tokens[self.at].token == Token::LBrace
            && self.can_be(";")
        {
            return ", expected semicolon or newline".to_owned();
        }
        match within {
            _ if expression && !operator => ", expected expression".to_owned(),
            Within::Bracket if operator && self.can_be(":") => {
                ", expected comma, : or ]".to_owned()
            }
            Within::Bracket if self.can_be("]") => ", expected ]".to_owned(),
            Within::Paren if operator && self.can_be(")") => ", expected )".to_owned(),
            Within::Nothing if self.can_be(";") && self.top_level => {
                " after top level declaration".to_owned()
            }
            Within::Nothing | Within::Brace if self.can_be(";") && self.can_be("=") && ty => {
                ", expected type".to_owned()
            }
            _ if self.can_be(";") => " at end of statement".to_owned(),
            _ if ty => ", expected type".to_owned(),
            _ => self.listed(),
        }
    }

    fn is_type_name(&self) -> bool {
        self.at >= 2 && self.tokens[self.at - 2].token == Token::Type
    }

    /// The few tokens that remain, as a list.
    fn listed(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for terminal in [
            "ident", "string", "=", ":=", ",", "(", ")", "[", "]", "{", "}", ":", "chan", "range",
        ] {
            if self.can_be(terminal) {
                names.push(match terminal {
                    "ident" => "name",
                    "string" => "string literal",
                    "," => "comma",
                    other => other,
                });
            }
        }
        match names[..] {
            [] => String::new(),
            ["=", ":=", "comma"] => ", expected := or = or comma".to_owned(),
            [first] => format!(", expected {first}"),
            _ if names.len() <= 3 => format!(", expected {}", names.join(" or ")),
            _ => String::new(),
        }
    }

    /// The wording inside lists, which name what could be missing.
    fn list_context(&self, within: Within) -> Option<String> {
        let comma = self.can_be(",");
        let operator = self.can_be("&&");
        let text = match within {
            Within::Paren if comma && self.can_be(")") => {
                if operator {
                    " in argument list; possibly missing comma or )"
                } else {
                    " in parameter list; possibly missing comma or )"
                }
            }
            Within::Brace if comma && self.can_be("}") && !self.can_be(";") => {
                " in composite literal; possibly missing comma or }"
            }
            Within::Struct if self.can_be("}") && self.can_be(";") => {
                if self.can_be("ident") && !self.can_be("map") {
                    ", expected field name or embedded type"
                } else {
                    " in struct type; possibly missing semicolon or newline or }"
                }
            }
            Within::Interface if self.can_be("}") && self.can_be(";") => {
                " in interface type; possibly missing semicolon or newline or }"
            }
            Within::Group if self.can_be(")") && self.can_be(";") => {
                ", expected semicolon, newline, or )"
            }
            Within::Bracket if comma && self.can_be("]") && !operator && self.can_be("|") => {
                " in type parameter list; possibly missing comma or ]"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }

    fn within(&self) -> Within {
        let mut open = Vec::new();
        for at in self.start..self.at {
            match self.tokens[at].token {
                Token::LParen | Token::LBrack | Token::LBrace => open.push(at),
                Token::RParen | Token::RBrack | Token::RBrace => {
                    open.pop();
                }
                _ => {}
            }
        }
        let Some(at) = open.pop() else {
            return Within::Nothing;
        };
        let before = (at > self.start).then(|| self.tokens[at - 1].token);
        match self.tokens[at].token {
            Token::LParen => match before {
                Some(Token::Import | Token::Const | Token::Var | Token::Type) => Within::Group,
                _ => Within::Paren,
            },
            Token::LBrack => Within::Bracket,
            _ => match before {
                Some(Token::Struct) => Within::Struct,
                Some(Token::Interface) => Within::Interface,
                Some(Token::Select) => Within::Select,
                Some(Token::Switch) => Within::Switch,
                _ => Within::Brace,
            },
        }
    }

    /// The keyword whose header, at this bracket level, the token stands in.
    fn header(&self) -> Option<Token> {
        let mut closed = 0;
        let after_line = self.at > self.start
            && self.tokens[self.at - 1].token == Token::Semi(Semicolon::Newline);
        for at in (self.start..self.at - usize::from(after_line)).rev() {
            match self.tokens[at].token {
                Token::RParen | Token::RBrack | Token::RBrace => closed += 1,
                Token::LParen | Token::LBrack | Token::LBrace => {
                    if closed == 0 {
                        return None;
                    }
                    closed -= 1;
                }
                Token::Semi(Semicolon::Newline) if closed == 0 => return None,
                token @ (Token::If | Token::For | Token::Switch | Token::Select) if closed == 0 => {
                    return Some(token);
                }
                _ => {}
            }
        }
        None
    }
}
