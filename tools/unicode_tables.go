// Writes stdlib/unicode/tables.txt, the Unicode data of the library: go run unicode_tables.go >tables.txt
// with the Go release whose edition of Unicode is wanted. The figures are those of the Unicode Character Database.
package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode"
)

func n(x uint32) string { return strconv.FormatUint(uint64(x), 36) }

// Each range as gap[-length[/stride]]: from the end of the last one to its start, and on to its end, in base 36.
func ranges(kind, name string, t *unicode.RangeTable) {
	fmt.Print(kind, " ", name)
	last := uint32(0)
	one := func(lo, hi, stride uint32) {
		fmt.Print(" ", n(lo-last))
		if hi > lo {
			fmt.Print("-", n(hi-lo))
			if stride > 1 {
				fmt.Print("/", n(stride))
			}
		}
		last = hi
	}
	for _, r := range t.R16 {
		one(uint32(r.Lo), uint32(r.Hi), uint32(r.Stride))
	}
	for _, r := range t.R32 {
		one(r.Lo, r.Hi, r.Stride)
	}
	fmt.Println()
}

func tables(kind string, m map[string]*unicode.RangeTable) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		ranges(kind, name, m[name])
	}
}

func main() {
	fmt.Println("version", unicode.Version)
	tables("category", unicode.Categories)
	tables("script", unicode.Scripts)
	tables("property", unicode.Properties)
	tables("foldcategory", unicode.FoldCategory)
	tables("foldscript", unicode.FoldScript)
	for _, alias := range slices.Sorted(maps.Keys(unicode.CategoryAliases)) {
		fmt.Println("alias", alias, unicode.CategoryAliases[alias])
	}
	// Lowest and highest code point, and what is added for upper, lower and title case.
	for _, c := range unicode.CaseRanges {
		fmt.Println("case", c.Lo, c.Hi, c.Delta[0], c.Delta[1], c.Delta[2])
	}
	// Steps of simple folding that are not the change of case.
	for r := rune(0); r <= unicode.MaxRune; r++ {
		plain := unicode.ToLower(r)
		if plain == r {
			plain = unicode.ToUpper(r)
		}
		if to := unicode.SimpleFold(r); to != plain {
			fmt.Println("fold", r, to)
		}
	}
}
