package spec

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// yamlParser turns the nodes of go.yaml.in/yaml/v3 into a tree. Scalars keep the
// text that was written: what a word means is decided by the key it stands under,
// so a link may be called on, no or 0755 and no number is octal by accident.
type yamlParser struct {
	tree
	lines    []int // offsets of the lines' first bytes
	budget   int   // nodes that aliases may still add
	problems []*syntaxError
}

// parseYAML reads a stream of YAML documents. A stream that cannot be parsed gives
// one problem; others (tags, circles of aliases) are all reported.
func parseYAML(text string) (*tree, []*syntaxError) {
	p := yamlParser{tree: tree{text: text}, lines: lineStarts(text), budget: 100_000 + len(text)/4}
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc yaml.Node
		err := decodeNode(dec, &doc)
		if errors.Is(err, io.EOF) {
			return &p.tree, p.problems
		}
		if err != nil {
			return nil, []*syntaxError{p.syntax(err)}
		}
		p.roots = append(p.roots, ref(len(p.nodes)))
		p.add(doc.Content[0], 0)
	}
}

// decodeNode reads a document. The library reports some mistakes by panicking.
func decodeNode(dec *yaml.Decoder, doc *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	if err := dec.Decode(doc); err != nil {
		return err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return errors.New("yaml: no document")
	}
	return nil
}

func (p *yamlParser) problem(n *yaml.Node, format string, args ...any) {
	p.problems = append(p.problems, &syntaxError{p.offset(n), fmt.Sprintf(format, args...)})
}

func (p *yamlParser) add(n *yaml.Node, depth int) {
	if depth > maxDepth {
		p.problem(n, "nested too deeply")
		p.scalar(isNull, p.offset(n), 0, 0)
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		p.alias(n, depth)
	case yaml.MappingNode:
		p.tag(n, "!!map")
		m := p.open(isMap, p.offset(n))
		for _, kv := range p.pairs(n, depth) {
			if p.key(kv[0]) {
				p.add(kv[1], depth+1)
			}
		}
		p.close(m)
	case yaml.SequenceNode:
		p.tag(n, "!!seq")
		list := p.open(isList, p.offset(n))
		for _, c := range n.Content {
			p.add(c, depth+1)
		}
		p.close(list)
	default:
		p.word(n)
	}
}

// alias adds what an alias stands for once more. The budget ends documents that
// grow by aliases of aliases.
func (p *yamlParser) alias(n *yaml.Node, depth int) {
	before := len(p.nodes)
	if p.budget > 0 {
		p.add(n.Alias, depth+1)
		p.budget -= len(p.nodes) - before
		if p.budget > 0 {
			return
		}
		p.problem(n, "aliases make the document too large")
		p.nodes = p.nodes[:before]
	}
	p.scalar(isNull, p.offset(n), 0, 0)
}

// pairs returns the keys and values of a map, those of its merge keys (<<) last
// and only where the map does not set them itself.
func (p *yamlParser) pairs(n *yaml.Node, depth int) [][2]*yaml.Node {
	pairs := make([][2]*yaml.Node, 0, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; k.Tag == "!!merge" {
			merged = append(merged, n.Content[i+1])
			continue
		}
		pairs = append(pairs, [2]*yaml.Node{n.Content[i], n.Content[i+1]})
	}
	for i := 0; i < len(merged); i++ {
		m := merged[i]
		if m.Kind == yaml.AliasNode {
			m = m.Alias
		}
		p.budget -= 1 + len(m.Content)
		switch {
		case depth == maxDepth || len(merged) > maxDepth || p.budget < 0:
			p.problem(merged[i], "merge keys make the document too large")
			return pairs
		case m.Kind == yaml.SequenceNode:
			merged = append(merged, m.Content...)
		case m.Kind == yaml.MappingNode:
			pairs = mergePairs(pairs, p.pairs(m, depth+1))
		default:
			p.problem(merged[i], "a merge key takes a map or a list of maps")
		}
	}
	return pairs
}

func mergePairs(own, more [][2]*yaml.Node) [][2]*yaml.Node {
	have := make(map[string]bool, len(own))
	for _, kv := range own {
		have[kv[0].Value] = true
	}
	for _, kv := range more {
		if !have[kv[0].Value] {
			own = append(own, kv)
		}
	}
	return own
}

// key adds a key and tells whether it is one.
func (p *yamlParser) key(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		p.problem(n, "a key must be a word")
		return false
	}
	if n.Style&(quotedStyles|yaml.TaggedStyle) == 0 && (n.Tag == "!!null" || n.Tag == "!!bool") {
		p.problem(n, "the key %s is no word to YAML, quote it: %q", n.Value, n.Value)
	}
	p.word(n)
	return true
}

const quotedStyles = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// word adds a scalar.
func (p *yamlParser) word(n *yaml.Node) {
	shape := isText
	if n.Style&quotedStyles == 0 {
		shape = isPlain
		switch {
		case n.Style&yaml.TaggedStyle != 0 && n.Tag == "!!str":
			shape = isText
		case n.Tag == "!!null" && n.Style&yaml.TaggedStyle == 0:
			shape = isNull
		}
	}
	p.tag(n, "!!str", "!!int", "!!bool", "!!float")
	pos := p.offset(n)
	for _, from := range []int{pos, pos + 1} {
		if strings.HasPrefix(p.text[min(from, len(p.text)):], n.Value) {
			p.scalar(shape, pos, from, from+len(n.Value))
			return
		}
	}
	p.scalarText(shape, pos, n.Value)
}

// tag reports a tag that is written and not one of those that change nothing.
func (p *yamlParser) tag(n *yaml.Node, known ...string) {
	if n.Style&yaml.TaggedStyle == 0 {
		return
	}
	for _, tag := range known {
		if n.Tag == tag {
			return
		}
	}
	p.problem(n, "the tag %s is not supported", n.Tag)
}

// offset returns where a node begins. The library counts columns in characters.
func (p *yamlParser) offset(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(p.lines) {
		return len(p.text)
	}
	at := p.lines[n.Line-1]
	for range n.Column - 1 {
		if at < len(p.text) && p.text[at] < utf8.RuneSelf {
			at++
			continue
		}
		_, size := utf8.DecodeRuneInString(p.text[min(at, len(p.text)):])
		at += size
	}
	return at
}

// lineStarts returns the offsets of the lines, which YAML 1.1 ends with more
// characters than an editor does.
func lineStarts(text string) []int {
	starts := []int{0}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\n':
			starts = append(starts, i+1)
		case '\r':
			if i+1 == len(text) || text[i+1] != '\n' {
				starts = append(starts, i+1)
			}
		case 0xc2:
			if strings.HasPrefix(text[i:], "\u0085") {
				starts = append(starts, i+2)
			}
		case 0xe2:
			if strings.HasPrefix(text[i:], "\u2028") || strings.HasPrefix(text[i:], "\u2029") {
				starts = append(starts, i+3)
			}
		}
	}
	return starts
}
