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
    E0101 Undefined: "a name that is not declared", "x := y\n_ = x\n";
    E0102 Redeclared: "a name declared twice in one scope", "func f() {}\nfunc f() {}\n";
    E0103 UnusedVariable: "a local variable that nothing uses", "x := 1\n";
    E0104 UnusedImport: "an import that nothing uses", "import \"unsafe\"\n";
    E0105 Import: "a package that cannot be imported", "import \"no/such/package\"\n";
    E0106 MissingBody: "a function without a body", "func f[T any]()\n";
    E0107 NoMain: "a main package without func main", "package main\n";
    E0108 InvalidDeclaration: "a declaration that is not allowed where or as it stands", "var init int\n";
    E0109 MissingInit: "names and initial values that differ in number", "const a, b = 1\n";
    E0110 RecursiveType: "a type or declaration that refers to itself", "type T struct {\n\tt T\n}\n";
    E0111 InitializationCycle: "a variable whose initial value depends on itself", "package main\n\nvar x = f()\n\nfunc f() int { return x }\n\nfunc main() {}\n";
    E0112 InvalidType: "a type that cannot be built like that", "var m map[[]int]int\n_ = m\n";
    E0113 NotAType: "an expression where a type is needed", "func f() {\n\tx := 1\n\tvar y x\n\t_ = y\n}\n";
    E0114 Generic: "type arguments that are missing, wrong, or do not satisfy their constraints", "func f[T any]() {}\n\nf()\n";
    E0201 MismatchedTypes: "a value of another type than is needed", "var x int = \"a\"\n_ = x\n";
    E0202 InvalidOperation: "an operator or operation that the operands do not have", "_ = -\"a\"\n";
    E0203 InvalidConversion: "a conversion between types that do not convert", "_ = int(\"a\")\n";
    E0204 ConstantOverflow: "a constant that its type cannot represent", "var x uint8 = 1\n_ = x + 256\n";
    E0205 DivisionByZero: "a division by the constant zero", "x := 1\n_ = x / 0\n";
    E0206 NotConstant: "a value where a constant is needed", "func f() {\n\tx := 1\n\tconst c = x\n}\n";
    E0207 UntypedNil: "nil where its type cannot be told", "x := nil\n_ = x\n";
    E0208 InvalidIndex: "an index or size that is no integer or out of range", "a := [2]int{}\n_ = a[2]\n";
    E0209 InvalidLiteral: "a composite literal that does not fit its type", "type T struct{ x int }\n\n_ = T{y: 1}\n";
    E0210 NoValue: "a call without results used as a value", "func f() {}\n\nx := f()\n_ = x\n";
    E0211 NotAnExpression: "a type where a value is needed", "x := int\n_ = x\n";
    E0212 ImpossibleAssertion: "an assertion that can never hold", "type T int\n\nvar e error\n_ = e.(T)\n";
    E0213 InvalidCall: "a call that cannot be made", "x := 1\nx()\n";
    E0214 ArgumentCount: "too few or too many arguments", "func f(x int) {}\n\nf()\n";
    E0215 NotAssignable: "an assignment to something that is no variable", "1 = 2\n";
    E0216 AssignmentMismatch: "variables and values that differ in number", "a, b := 1\n_, _ = a, b\n";
    E0217 NoNewVariables: "`:=` without a new variable", "x := 1\nx := 2\n_ = x\n";
    E0301 UnusedResult: "an expression whose value is not used", "1 + 2\n";
    E0302 MissingReturn: "a function with results that may end without a return", "func f() int {}\n";
    E0303 ReturnCount: "too few or too many values in a return", "func f() int { return }\n";
    E0304 Label: "a label or jump that breaks the rules", "L:\n\tprintln()\n";
    E0305 DuplicateCase: "a case that stands twice in a switch", "switch 1 {\ncase 1:\ncase 1:\n}\n";
    E0306 InvalidRange: "a range over something that has no elements", "for range true {\n}\n";
    E0307 RangeVariables: "more iteration variables than a range gives", "for a, b := range 3 {\n\t_, _ = a, b\n}\n";
    E0308 InvalidSelect: "a select case that is neither send nor receive", "select {\ncase println():\n}\n";
    E0401 NotStorable: "a type that persistent memory cannot hold", "type T struct{ f func() }\n\n_ = pnew(T)\n";
    E0402 UnknownTxnOption: "an option that txn does not have", "txn <fast> {\n}\n";
    E0701 NotSupported: "something that this version cannot compile yet", "func two() (int, int) { return 1, 2 }\n\npvar a, b = two()\n\nprintln(a, b)\n";
    E0702 FunctionTooLarge: "a function whose variables need too many words", "";
    E0703 VolatileInPersistent: "a reference to the volatile heap stored in persistent memory", "type Node struct {\n\tnext *Node\n}\n\nfunc main() {\n\tn := pnew(Node)\n\tn.next = &Node{}\n}\n";
    W0001 Unreachable: "a statement that nothing reaches", "func f() {\n\treturn\n\tprintln()\n}\n";
    W0002 Printf: "a format that does not go with its arguments", "fmt.Printf(\"%d\\n\", \"a\")\n";
    W0003 SelfAssignment: "an assignment of a variable to itself", "x := 1\nx = x\n";
    W0004 ShadowedError: "an error in a variable that hides the one that is read next", "func try() error { return io.EOF }\n\nfunc tryAgain() error {\n\tvar err error\n\tfor range 3 {\n\t\terr := try()\n\t\tif err == nil {\n\t\t\tbreak\n\t\t}\n\t}\n\treturn err\n}\n\nfmt.Println(tryAgain())\n";
    W0101 BareStore: "a store to persistent data outside a transaction", "pvar n int\n\nn++\n";
    W0102 PrintInTxn: "printing in a transaction, which a rollback does not take back", "pvar n int\n\ntxn <> {\n\tn++\n\tfmt.Println(n)\n}\n";
    W0103 TxnInLoop: "a loop that does nothing but commit in each round", "pvar n int\n\nfor i := range 9 {\n\ttxn <> {\n\t\tn += i\n\t}\n}\n";
    W0104 EffectInTxn: "an effect in a transaction that a rollback does not take back", "pvar n int\n\ntxn <> {\n\tn++\n\tos.Remove(\"old\")\n}\n";
    W0105 VolatileInTxn: "a volatile variable changed in a transaction that may be rolled back", "pvar n int\n\nvar rounds int\n\n_ = pmem.Update(func() error {\n\trounds++\n\tn++\n\treturn io.EOF\n})\n\nfmt.Println(rounds)\n";
    E0704 InstantiationCycle: "a generic function that instantiates itself with ever larger types", "func f[T any](n int) {\n\tif n > 0 {\n\t\tf[[]T](n - 1)\n\t}\n}\n\nf[int](3)\n";
}
