//! The one table of error codes: number, name, one line of description, and an example program that
//! a test compiles to see the code reported. E00xx: text and syntax; E01xx and up: the checker.

macro_rules! codes {
    ($($number:ident $name:ident: $summary:literal, $example:literal;)*) => {
        /// What kind of error (or warning) a `Diagnostic` is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $(#[doc = $summary] $name,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// `E0001`.
            pub fn number(self) -> &'static str {
                match self { $(Code::$name => stringify!($number),)* }
            }

            /// The name in the table.
            pub fn name(self) -> &'static str {
                match self { $(Code::$name => stringify!($name),)* }
            }

            /// One line on what is wrong.
            pub fn summary(self) -> &'static str {
                match self { $(Code::$name => $summary,)* }
            }

            /// A text whose compilation reports this code.
            pub fn example(self) -> &'static str {
                match self { $(Code::$name => $example,)* }
            }
        }
    };
}

codes! {
    E0001 Syntax: "the text does not follow the grammar", "x := := 1\n";
    E0002 InvalidCharacter: "a character that no token can contain", "x := 1 @ 2\n";
    E0003 InvalidNumber: "a malformed number literal", "x := 0x\n";
    E0004 InvalidString: "a malformed or unfinished string literal", "x := \"abc\n";
    E0005 InvalidRune: "a malformed or unfinished rune literal", "x := 'ab'\n";
    E0006 InvalidEscape: "an unknown or out-of-range escape in a literal", "x := \"\\q\"\n";
    E0007 UnterminatedComment: "a comment without its end", "/* no end\n";
    E0008 TooDeep: "an expression or statement nested too deeply", "";
    E0009 FileTooLarge: "a source file of 4 GiB or more", "";
    E0010 NestedPvar: "a persistent variable declared inside a function or block", "func f() {\n\tpvar x int\n}\n";
    E0701 NotSupported: "something that this version cannot compile yet", "func main() {\n\tgo func() {}()\n}\n";
    E0702 FunctionTooLarge: "a function whose variables need too many words", "";
    E0703 VolatileInPersistent: "a reference to the volatile heap stored in persistent memory", "type Node struct {\n\tnext *Node\n}\n\nfunc main() {\n\tn := pnew(Node)\n\tn.next = &Node{}\n}\n";
}
