package kind_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/nlapply/nlapply/netlink/route/kind"
)

// TestListed fails when a type is a kind but stands in no list.
func TestListed(t *testing.T) {
	listed := map[string]bool{}
	pkgs, err := parser.ParseDir(token.NewFileSet(), ".", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range pkgs["kind"].Files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if ok && len(call.Args) == 1 {
				if fn, ok := call.Fun.(*ast.Ident); ok && fn.Name == "new" {
					if id, ok := call.Args[0].(*ast.Ident); ok {
						listed[id.Name] = true
					}
				}
			}
			return true
		})
	}
	for _, f := range pkgs["kind"].Files {
		for _, d := range f.Decls {
			if name := kindOf(d); name != "" && !listed[name] {
				t.Errorf("%s has the method Name, but is neither in All nor in Ports", name)
			}
		}
	}
}

// kindOf returns the receiver's type of a method Name.
func kindOf(d ast.Decl) string {
	fn, ok := d.(*ast.FuncDecl)
	if !ok || fn.Recv == nil || fn.Name.Name != "Name" {
		return ""
	}
	if star, ok := fn.Recv.List[0].Type.(*ast.StarExpr); ok {
		return star.X.(*ast.Ident).Name
	}
	return ""
}

func TestLookup(t *testing.T) {
	if k, ok := kind.New("vxlan"); !ok || k.Name() != "vxlan" {
		t.Errorf("New(vxlan) = %v, %v", k, ok)
	}
	if k, ok := kind.NewPort("bridge"); !ok || k.Name() != "bridge" {
		t.Errorf("NewPort(bridge) = %v, %v", k, ok)
	}
	if _, ok := kind.New("bridge_slave"); ok {
		t.Error("New(bridge_slave) is a kind")
	}
	if _, ok := kind.NewPort("vxlan"); ok {
		t.Error("NewPort(vxlan) is a kind")
	}
	if !slices.IsSortedFunc(kind.All, func(a, b func() kind.Kind) int {
		return strings.Compare(a().Name(), b().Name())
	}) {
		t.Error("All is not sorted by name")
	}
}

func TestRowsAreComplete(t *testing.T) {
	for _, r := range everyKind() {
		names := map[string]bool{}
		fields := r.new().Fields()
		for i := range fields {
			f := &fields[i]
			if names[f.Name] {
				t.Errorf("%s.%s stands there twice", r.name, f.Name)
			}
			names[f.Name] = true
			if f.Text == "" || !strings.HasSuffix(f.Text, ".") {
				t.Errorf("%s.%s: no sentence says what it does", r.name, f.Name)
			}
			if f.Value.IsSet() {
				t.Errorf("%s.%s is set in an empty struct", r.name, f.Name)
			}
			if f.Default == nil {
				continue
			}
			fields := r.new().Fields()
			f = &fields[i]
			if err := f.Value.Set(f.Default); err != nil || !f.IsDefault() {
				t.Errorf("%s.%s: default %v: %v, reads back as %v", r.name, f.Name, f.Default, err, f.Value.Get())
			}
		}
	}
}

func TestSchemaIsJSON(t *testing.T) {
	for _, r := range everyKind() {
		fields := r.new().Fields()
		for i := range fields {
			b, err := json.Marshal(fields[i].Schema())
			if err != nil || !strings.Contains(string(b), `"description"`) {
				t.Errorf("%s.%s: %s, %v", r.name, fields[i].Name, b, err)
			}
		}
	}
}
