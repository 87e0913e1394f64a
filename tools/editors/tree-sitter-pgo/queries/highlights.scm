; Later patterns win.

(identifier) @variable

; Types

(qualified_type package: (identifier) @module)
(qualified_type name: (identifier) @type)
(generic_type type: (identifier) @type)
(type_arguments (identifier) @type)
(pointer_type (identifier) @type)
(parenthesized_type (identifier) @type)
(array_type element: (identifier) @type)
(slice_type element: (identifier) @type)
(map_type key: (identifier) @type)
(map_type value: (identifier) @type)
(channel_type element: (identifier) @type)
(union (identifier) @type)
(parameter type: (identifier) @type)
(const_spec type: (identifier) @type)
(var_spec type: (identifier) @type)
(type_spec name: (identifier) @type.definition)
(type_spec type: (identifier) @type)
(type_alias name: (identifier) @type.definition)
(type_alias type: (identifier) @type)
(type_parameter name: (identifier) @type)
(field_declaration type: (identifier) @type)
(field_declaration embedded: (identifier) @type)
(type_assertion type: (identifier) @type)
(composite_literal type: (identifier) @type)
(composite_literal type: (selector_expression field: (identifier) @type))
(composite_literal type: (index_expression operand: (identifier) @type))
(function_declaration result: (identifier) @type)
(method_declaration result: (identifier) @type)
(method_spec result: (identifier) @type)
(function_literal result: (identifier) @type)
(function_type result: (identifier) @type)

((identifier) @type.builtin
  (#any-of? @type.builtin
    "any" "bool" "byte" "comparable" "complex128" "complex64" "error" "float32" "float64" "int" "int16" "int32" "int64"
    "int8" "rune" "string" "uint" "uint16" "uint32" "uint64" "uint8" "uintptr"))

; Names

(package_clause name: (identifier) @module)
(import_spec name: (identifier) @module)
(parameter name: (identifier) @variable.parameter)
(field_declaration name: (identifier) @variable.member)
(selector_expression field: (identifier) @variable.member)
(element key: (identifier) @variable.member)
(const_spec name: (identifier) @constant)
(labeled_statement label: (identifier) @label)
(break_statement label: (identifier) @label)
(continue_statement label: (identifier) @label)
(goto_statement label: (identifier) @label)

; Functions

(function_declaration name: (identifier) @function)
(method_declaration name: (identifier) @function.method)
(method_spec name: (identifier) @function.method)
(call_expression function: (identifier) @function.call)
(call_expression function: (selector_expression field: (identifier) @function.method.call))
(call_expression function: (index_expression operand: (identifier) @function.call))

((call_expression function: (identifier) @function.builtin)
  (#any-of? @function.builtin
    "append" "cap" "clear" "close" "complex" "copy" "delete" "imag" "len" "make" "max" "min" "new" "panic" "persist" "pmake"
    "pnew" "print" "println" "real" "recover"))

((identifier) @constant.builtin
  (#any-of? @constant.builtin "false" "iota" "nil" "true"))

; Words

["const" "func" "import" "interface" "map" "package" "pvar" "struct" "type" "var" "chan"] @keyword
["break" "continue" "defer" "go" "goto" "txn"] @keyword
["case" "default" "else" "if" "select" "switch"] @keyword.conditional
["for" "range"] @keyword.repeat
"return" @keyword.return
(fallthrough_statement) @keyword
(option) @attribute

; Operators and punctuation

[
  "!" "!=" "%" "%=" "&" "&&" "&=" "&^" "&^=" "*" "*=" "+" "++" "+=" "-" "--" "-=" "..." "/" "/=" ":=" "<" "<-" "<<" "<<="
  "<=" "=" "==" ">" ">=" ">>" ">>=" "^" "^=" "|" "|=" "||" "~"
] @operator

["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," "." ":" ";"] @punctuation.delimiter

; Literals

[(int_literal) (float_literal) (imaginary_literal)] @number
(rune_literal) @character
[(string_literal) (raw_string_literal)] @string
(escape_sequence) @string.escape

[(comment) (shebang)] @comment
