package route

import (
	"encoding/json"
	"iter"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/internal/testns"
)

// The tests in the files iplive*_test.go let iproute2 make objects, and put what was
// decoded into the words of `ip -j -d show`: both must be the same, key by key. What
// a kernel has not got is not made; there is always something left.

// shown is an object as ip shows it.
type shown map[string]any

// plain is v as it comes out of JSON.
func plain(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var p any
	if err := json.Unmarshal(b, &p); err != nil {
		panic(err)
	}
	return p
}

// made runs the commands that the kernel supports, and tells which.
func (l *lab) made(program string, commands []string) {
	l.Helper()
	n := 0
	for _, command := range commands {
		if _, err := testns.Try(l, l.ns, program, strings.Fields(command)...); err != nil {
			l.Log(err)
		} else {
			n++
		}
	}
	if n == 0 {
		l.Fatal("nothing was made")
	}
}

// compare compares what ip shows with what was decoded, without the keys in
// ignored.
func (l *lab) compare(name string, ip map[string]any, decoded shown, ignored ...string) {
	l.Helper()
	for _, key := range ignored {
		delete(ip, key)
		delete(decoded, key)
	}
	if diff := cmp.Diff(any(ip), plain(decoded)); diff != "" {
		l.Errorf("%s (-ip +decoded)\n%s", name, diff)
	}
}

// steady returns a dump that is the same before and after ip shows it: the kernel
// lets time pass, resolves neighbours and finds carriers meanwhile.
func steady[T any, P cloner[T]](l *lab, dump iter.Seq2[P, error], ip func() []map[string]any) ([]P, []map[string]any) {
	l.Helper()
	for range 50 {
		before := collect(l, dump)
		shown := ip()
		if cmp.Equal(before, collect(l, dump), same) {
			return before, shown
		}
		time.Sleep(20 * time.Millisecond)
	}
	l.Fatal("the kernel does not come to rest")
	return nil, nil
}

// names are the names of links by index.
func (l *lab) names() map[int32]string {
	names := map[int32]string{}
	for _, link := range collect(l, l.Links(l.ctx)) {
		names[link.Index] = link.Name
	}
	return names
}

// put sets a key to what is not zero.
func put[T comparable](s shown, key string, v T) {
	var zero T
	if v != zero {
		s[key] = v
	}
}
