/**
 * Go's grammar and the words of pgo: txn, pvar, statements at the top level, a first line `#!…`.
 * Types and expressions have the same nodes where the same text can be either, as in `f[T](x)`; a type's name is an
 * identifier, in a field that says so. Whatever is no Go program may be accepted, as `pgo check` is there to say it.
 */

const PRECEDENCE = { unary: 6, primary: 7 };

/** By precedence, from 1. */
const BINARY = [
  "||",
  "&&",
  choice("==", "!=", "<", "<=", ">", ">="),
  choice("+", "-", "|", "^"),
  choice("*", "/", "%", "<<", ">>", "&", "&^"),
];

const ASSIGNMENT = ["=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^=", "&^="];

const DIGITS = /[0-9](_?[0-9])*/;
const EXPONENT = /[eE][+-]?[0-9](_?[0-9])*/;
const HEX = /(_?[0-9a-fA-F])+/;

const FLOAT = token(
  choice(
    seq(DIGITS, ".", optional(DIGITS), optional(EXPONENT)),
    seq(DIGITS, EXPONENT),
    seq(".", DIGITS, optional(EXPONENT)),
    seq(/0[xX]/, choice(seq(HEX, optional(seq(".", optional(HEX)))), seq(".", HEX)), /[pP][+-]?/, DIGITS),
  ),
);

const ESCAPE = /\\([^xuU0-7\n]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/;

/** What ends a statement. A line's end is white space wherever no statement can end. */
const END = choice("\n", ";", "\0");

const list = (rule) => seq(rule, repeat(seq(",", rule)));

const closed = (open, rule, close) => seq(open, optional(seq(list(rule), optional(","))), close);

const bracketed = (rule) => seq("[", list(rule), optional(","), "]");

/** Entries that END separates. */
const entries = (rule) => seq(repeat(choice(seq(rule, END), ";")), optional(rule));

/** A label may stand before nothing where a semicolon is written or the block ends. */
const statements = ($) =>
  seq(
    repeat(
      choice(seq($._statement, END), seq(alias($._bare_label, $.labeled_statement), ";"), ";"),
    ),
    optional(choice($._statement, alias($._bare_label, $.labeled_statement))),
  );

const group = (rule) => choice(rule, seq("(", entries(rule), ")"));

module.exports = grammar({
  name: "pgo",

  word: ($) => $.identifier,

  extras: ($) => [/\s/, $.comment],

  supertypes: ($) => [$._expression, $._type, $._statement],

  inline: ($) => [$._simple_statement, $._type_name],

  conflicts: ($) => [
    // `if x {` and `if x{}.ok {`.
    [$._expression, $.composite_literal],
    // `(a, b int)` and `(a, b)`.
    [$._named_parameter, $._plain_type],
    // `type A[n * m]int` and `type A[N *M] int`.
    [$.type_parameter, $._expression],
    // `txn <` and `txn(`.
    [$._expression, $.txn_statement],
  ],

  rules: {
    source_file: ($) => seq(optional($.shebang), statements($)),

    shebang: () => /#!.*/,

    comment: () => token(choice(/\/\/.*/, /\/\*[^*]*\*+([^/*][^*]*\*+)*\//)),

    _statement: ($) =>
      choice(
        $.package_clause,
        $.import_declaration,
        $.const_declaration,
        $.var_declaration,
        $.pvar_declaration,
        $.type_declaration,
        $.function_declaration,
        $.method_declaration,
        $.expression_statement,
        $.send_statement,
        $.increment_statement,
        $.assignment_statement,
        $.short_var_declaration,
        $.labeled_statement,
        $.go_statement,
        $.defer_statement,
        $.return_statement,
        $.break_statement,
        $.continue_statement,
        $.goto_statement,
        $.fallthrough_statement,
        $.block,
        $.if_statement,
        $.switch_statement,
        $.select_statement,
        $.for_statement,
        $.txn_statement,
      ),

    // Declarations

    package_clause: ($) => seq("package", field("name", $.identifier)),

    import_declaration: ($) => seq("import", group($.import_spec)),
    import_spec: ($) =>
      seq(optional(field("name", choice($.identifier, "."))), field("path", $._string)),

    const_declaration: ($) => seq("const", group($.const_spec)),
    const_spec: ($) =>
      seq(
        list(field("name", $.identifier)),
        optional(seq(optional(field("type", $._type)), "=", field("value", $.expression_list))),
      ),

    var_declaration: ($) => seq("var", group($.var_spec)),
    pvar_declaration: ($) => seq("pvar", $.var_spec),
    var_spec: ($) =>
      seq(
        list(field("name", $.identifier)),
        choice(
          seq(field("type", $._type), optional(seq("=", field("value", $.expression_list)))),
          seq("=", field("value", $.expression_list)),
        ),
      ),

    type_declaration: ($) => seq("type", group(choice($.type_spec, $.type_alias))),
    type_spec: ($) =>
      seq(
        field("name", $.identifier),
        optional(field("type_parameters", $.type_parameter_list)),
        field("type", $._type),
      ),
    type_alias: ($) =>
      seq(
        field("name", $.identifier),
        optional(field("type_parameters", $.type_parameter_list)),
        "=",
        field("type", $._type),
      ),
    type_parameter_list: ($) => bracketed($.type_parameter),
    type_parameter: ($) =>
      seq(list(field("name", $.identifier)), field("constraint", $.union)),

    function_declaration: ($) =>
      seq(
        "func",
        field("name", $.identifier),
        optional(field("type_parameters", $.type_parameter_list)),
        $._signature,
        optional(field("body", $.block)),
      ),
    method_declaration: ($) =>
      prec(
        1,
        seq(
          "func",
          field("receiver", $.parameter_list),
          field("name", $.identifier),
          optional(field("type_parameters", $.type_parameter_list)),
          $._signature,
          optional(field("body", $.block)),
        ),
      ),
    _signature: ($) =>
      prec.right(
        seq(
          field("parameters", $.parameter_list),
          optional(field("result", choice($.parameter_list, $._plain_type))),
        ),
      ),
    // All have names or none has; a name without a type has the next one's.
    parameter_list: ($) =>
      seq(
        "(",
        optional(
          seq(
            choice(
              list(alias($._named_parameter, $.parameter)),
              prec.dynamic(1, list(alias($._unnamed_parameter, $.parameter))),
            ),
            optional(","),
          ),
        ),
        ")",
      ),
    _named_parameter: ($) =>
      seq(
        field("name", $.identifier),
        optional(seq(optional("..."), field("type", $._type))),
      ),
    _unnamed_parameter: ($) => seq(optional("..."), field("type", $._type)),

    // Types

    _type: ($) => choice($._plain_type, $.parenthesized_type),
    _plain_type: ($) => choice($._type_name, $.generic_type, $.pointer_type, $._type_literal),
    _type_name: ($) => choice($.identifier, $.qualified_type),
    // Before a brace it is a literal's.
    _type_literal: ($) =>
      prec(
        -1,
        choice(
          $.array_type,
          $.slice_type,
          $.map_type,
          $.channel_type,
          $.function_type,
          $.struct_type,
          $.interface_type,
        ),
      ),

    parenthesized_type: ($) => seq("(", $._type, ")"),
    qualified_type: ($) =>
      prec(PRECEDENCE.primary, seq(field("package", $.identifier), ".", field("name", $.identifier))),
    generic_type: ($) =>
      prec(
        PRECEDENCE.primary,
        seq(field("type", $._type_name), field("arguments", $.type_arguments)),
      ),
    type_arguments: ($) => bracketed($._expression),
    pointer_type: ($) => seq("*", $._type),
    array_type: ($) =>
      prec.right(seq("[", field("length", choice("...", $._expression)), "]", field("element", $._type))),
    slice_type: ($) => prec.right(seq("[", "]", field("element", $._type))),
    map_type: ($) =>
      prec.right(seq("map", "[", field("key", $._type), "]", field("value", $._type))),
    channel_type: ($) =>
      choice(
        prec.right(seq("chan", field("element", $._type))),
        prec.right(seq("chan", "<-", field("element", $._type))),
        prec.right(PRECEDENCE.primary, seq("<-", "chan", field("element", $._type))),
      ),
    function_type: ($) => prec.right(seq("func", $._signature)),

    struct_type: ($) => seq("struct", "{", entries($.field_declaration), "}"),
    field_declaration: ($) =>
      seq(
        choice(
          seq(list(field("name", $.identifier)), field("type", $._type)),
          seq(optional("*"), field("embedded", choice($._type_name, $.generic_type))),
        ),
        optional(field("tag", $._string)),
      ),

    interface_type: ($) => seq("interface", "{", entries(choice($.method_spec, $.union)), "}"),
    method_spec: ($) => seq(field("name", $.identifier), $._signature),
    union: ($) => prec.right(seq($._term, repeat(seq("|", $._term)))),
    _term: ($) => seq(optional("~"), $._type),

    // Statements

    block: ($) => seq("{", statements($), "}"),

    _simple_statement: ($) =>
      choice(
        $.expression_statement,
        $.send_statement,
        $.increment_statement,
        $.assignment_statement,
        $.short_var_declaration,
      ),

    expression_statement: ($) => $._expression,
    send_statement: ($) =>
      seq(field("channel", $._expression), "<-", field("value", $._expression)),
    increment_statement: ($) => seq($._expression, field("operator", choice("++", "--"))),
    assignment_statement: ($) =>
      seq(
        field("left", $.expression_list),
        field("operator", choice(...ASSIGNMENT)),
        field("right", $.expression_list),
      ),
    short_var_declaration: ($) =>
      seq(field("left", $.expression_list), ":=", field("right", $.expression_list)),
    expression_list: ($) => list($._expression),

    labeled_statement: ($) => seq($._label, $._statement),
    _bare_label: ($) => seq($._label, optional(alias($._bare_label, $.labeled_statement))),
    _label: ($) => seq(field("label", $.identifier), ":"),
    go_statement: ($) => seq("go", $._expression),
    defer_statement: ($) => seq("defer", $._expression),
    return_statement: ($) => seq("return", optional($.expression_list)),
    break_statement: ($) => seq("break", optional(field("label", $.identifier))),
    continue_statement: ($) => seq("continue", optional(field("label", $.identifier))),
    goto_statement: ($) => seq("goto", field("label", $.identifier)),
    fallthrough_statement: () => "fallthrough",

    if_statement: ($) =>
      seq(
        "if",
        optional(seq(optional(field("initializer", $._simple_statement)), ";")),
        field("condition", $._expression),
        field("consequence", $.block),
        optional(seq("else", field("alternative", choice($.block, $.if_statement)))),
      ),

    switch_statement: ($) =>
      seq(
        "switch",
        optional(seq(optional(field("initializer", $._simple_statement)), ";")),
        optional(field("value", $._simple_statement)),
        "{",
        repeat($.switch_case),
        "}",
      ),
    switch_case: ($) =>
      seq(choice(seq("case", $.expression_list), "default"), ":", statements($)),

    select_statement: ($) => seq("select", "{", repeat($.select_case), "}"),
    select_case: ($) =>
      seq(choice(seq("case", $._simple_statement), "default"), ":", statements($)),

    for_statement: ($) =>
      seq(
        "for",
        optional(choice(field("condition", $._expression), $.for_clause, $.range_clause)),
        field("body", $.block),
      ),
    for_clause: ($) =>
      seq(
        optional(field("initializer", $._simple_statement)),
        ";",
        optional(field("condition", $._expression)),
        ";",
        optional(field("update", $._simple_statement)),
      ),
    range_clause: ($) =>
      seq(
        optional(seq(field("left", $.expression_list), choice("=", ":="))),
        "range",
        field("right", $._expression),
      ),

    txn_statement: ($) =>
      seq(
        "txn",
        choice(
          closed("<", alias($.identifier, $.option), ">"),
          seq("(", optional(alias($._string, $.option)), ")"),
        ),
        field("body", $.block),
      ),

    // Expressions

    _expression: ($) =>
      choice(
        $.identifier,
        alias(choice("txn", "pvar"), $.identifier),
        $._literal,
        $.composite_literal,
        $.function_literal,
        $.parenthesized_expression,
        $.selector_expression,
        $.index_expression,
        $.slice_expression,
        $.type_assertion,
        $.call_expression,
        $.unary_expression,
        $.binary_expression,
        $._type_literal,
      ),

    parenthesized_expression: ($) => seq("(", $._expression, ")"),
    selector_expression: ($) =>
      prec(
        PRECEDENCE.primary,
        seq(field("operand", $._expression), ".", field("field", $.identifier)),
      ),
    index_expression: ($) =>
      prec(
        PRECEDENCE.primary,
        seq(field("operand", $._expression), bracketed($._expression)),
      ),
    slice_expression: ($) =>
      prec(
        PRECEDENCE.primary,
        seq(
          field("operand", $._expression),
          "[",
          optional($._expression),
          ":",
          optional($._expression),
          optional(seq(":", $._expression)),
          "]",
        ),
      ),
    type_assertion: ($) =>
      prec(
        PRECEDENCE.primary,
        seq(
          field("operand", $._expression),
          ".",
          "(",
          choice("type", field("type", $._type)),
          ")",
        ),
      ),
    call_expression: ($) =>
      prec(
        PRECEDENCE.primary,
        seq(field("function", $._expression), field("arguments", $.argument_list)),
      ),
    argument_list: ($) => closed("(", seq($._expression, optional("...")), ")"),

    unary_expression: ($) =>
      prec(
        PRECEDENCE.unary,
        seq(
          field("operator", choice("+", "-", "!", "^", "*", "&", "<-", "~")),
          field("operand", $._expression),
        ),
      ),
    binary_expression: ($) =>
      choice(
        ...BINARY.map((operator, i) =>
          prec.left(
            i + 1,
            seq(
              field("left", $._expression),
              field("operator", operator),
              field("right", $._expression),
            ),
          ),
        ),
      ),

    function_literal: ($) => prec(1, seq("func", $._signature, field("body", $.block))),

    composite_literal: ($) =>
      seq(
        field(
          "type",
          choice(
            $.identifier,
            $.selector_expression,
            $.index_expression,
            $.array_type,
            $.slice_type,
            $.map_type,
            $.struct_type,
          ),
        ),
        field("body", $.literal_value),
      ),
    literal_value: ($) => closed("{", $.element, "}"),
    element: ($) => seq(optional(seq(field("key", $._value), ":")), field("value", $._value)),
    _value: ($) => choice($._expression, $.literal_value),

    // Literals

    _literal: ($) =>
      choice($.int_literal, $.float_literal, $.imaginary_literal, $.rune_literal, $._string),

    identifier: () => /[\p{L}_][\p{L}\p{Nd}_]*/,

    int_literal: () => token(choice(/0[xX](_?[0-9a-fA-F])+/, /0[bB](_?[01])+/, /0[oO]?(_?[0-7])*/, /[1-9](_?[0-9])*/)),
    float_literal: () => FLOAT,
    imaginary_literal: () => token(seq(choice(FLOAT, /[0-9](_?[0-9])*/, /0[xXbBoO](_?[0-9a-fA-F])+/), "i")),

    rune_literal: () => token(seq("'", choice(/[^'\\\n]/, ESCAPE), "'")),

    _string: ($) => choice($.raw_string_literal, $.string_literal),
    raw_string_literal: () => /`[^`]*`/,
    string_literal: ($) =>
      seq(
        '"',
        repeat(choice(alias(token.immediate(prec(1, /[^"\\\n]+/)), $.string_content), $.escape_sequence)),
        token.immediate('"'),
      ),
    escape_sequence: () => token.immediate(ESCAPE),
  },
});
