package monitor

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A Field is one property of the object of an event.
type Field struct {
	// Key is the word of `ip -j` or `bridge -j` for it.
	Key string
	// Value is a string, a boolean, a number, a slice of these, or Fields.
	Value any

	text string // as `ip` prints it; "" is for JSON alone
}

// Fields are the properties of an object in the order in which `ip` prints them.
type Fields []Field

// Get returns the value of a key, nil if there is none.
func (f Fields) Get(key string) any {
	for i := range f {
		if f[i].Key == key {
			return f[i].Value
		}
	}
	return nil
}

// String returns what `ip` prints.
func (f Fields) String() string {
	var b strings.Builder
	for i := range f {
		if f[i].text != "" {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(f[i].text)
		}
	}
	return b.String()
}

// MarshalJSON writes an object with the keys in their order.
func (f Fields) MarshalJSON() ([]byte, error) { return f.appendTo([]byte{'{'}) }

// appendTo appends the fields and the closing brace to an object that was begun.
func (f Fields) appendTo(b []byte) ([]byte, error) {
	for i := range f {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), f[i].Key...), '"', ':')
		v, err := encode(f[i].Value)
		if err != nil {
			return b, fmt.Errorf("%s: %w", f[i].Key, err)
		}
		b = append(b, v...)
	}
	return append(b, '}'), nil
}

// encode is json.Marshal without the escapes that HTML needs.
func encode(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return []byte(strings.TrimSuffix(b.String(), "\n")), err
}

// put adds a field that is printed as "key value".
func (f *Fields) put(key string, value any) { f.named(key, key, value) }

// named adds a field that is printed with another word than its key.
func (f *Fields) named(word, key string, value any) {
	*f = append(*f, Field{key, value, fmt.Sprintf("%s %v", word, value)})
}

// bare adds a field that is printed without a word before it.
func (f *Fields) bare(key string, value any) { f.as(key, value, fmt.Sprint(value)) }

// flag adds a field that is printed as its key alone if it is true, and left out
// otherwise.
func (f *Fields) flag(key string, is bool) {
	if is {
		*f = append(*f, Field{key, true, key})
	}
}

// as adds a field that is printed as text.
func (f *Fields) as(key string, value any, text string) { *f = append(*f, Field{key, value, text}) }

// hidden adds a field that is not printed as text.
func (f *Fields) hidden(key string, value any) { *f = append(*f, Field{Key: key, Value: value}) }

// words adds a list that is printed as its words.
func (f *Fields) words(key string, words []string) {
	if len(words) > 0 {
		*f = append(*f, Field{key, words, strings.Join(words, " ")})
	}
}
