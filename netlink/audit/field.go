package audit

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// A FieldType says what of a system call, a process or a record a field of a rule
// compares: AUDIT_PID and so on (include/uapi/linux/audit.h).
type FieldType uint32

// Types of fields that this package treats on their own.
const (
	FieldPID        FieldType = 0   // of the process
	FieldAUID       FieldType = 9   // login uid
	FieldArch       FieldType = 11  // of the system call
	FieldMsgType    FieldType = 12  // of the record
	FieldAUIDSet    FieldType = 24  // 1: the login uid is set
	FieldFSType     FieldType = 26  // magic number of a file system
	FieldInode      FieldType = 102 // number of a file
	FieldExit       FieldType = 103 // result of the system call
	FieldPath       FieldType = 105 // AUDIT_WATCH: a file
	FieldPerm       FieldType = 106 // Read, Write, Execute, Attribute
	FieldDir        FieldType = 107 // all below a directory
	FieldFileType   FieldType = 108
	FieldCompare    FieldType = 111 // AUDIT_FIELD_COMPARE: two ids with each other
	FieldExe        FieldType = 112 // the program's file
	FieldSockAddr   FieldType = 113 // AUDIT_SADDR_FAM: family of the address (v5.2)
	FieldKey        FieldType = 210 // matches always, and marks the record
	fieldUID        FieldType = 1
	fieldGID        FieldType = 5
	fieldEGID       FieldType = 6
	fieldPers       FieldType = 10
	fieldPPID       FieldType = 18
	fieldSessionID  FieldType = 25
	fieldDevMajor   FieldType = 100
	fieldDevMinor   FieldType = 101
	fieldSuccess    FieldType = 104
	fieldObjUID     FieldType = 109
	fieldObjGID     FieldType = 110
	fieldArgument0  FieldType = 200
	fieldSubjUser   FieldType = 13
	fieldSubjRole   FieldType = 14
	fieldSubjType   FieldType = 15
	fieldSubjSen    FieldType = 16
	fieldSubjClr    FieldType = 17
	fieldObjLevLow  FieldType = 22
	fieldObjLevHigh FieldType = 23
)

// A fieldRow is what there is to know about a type of field.
type fieldRow struct {
	typ   FieldType
	name  string   // auditctl's
	also  []string // other names that it takes
	value format
	ops   []Op
	lists []List // nil: all but filesystem
}

var (
	allOps   = []Op{Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, BitMask, BitTest}
	ordered  = allOps[:6]
	sameness = allOps[:2]
	onlySame = allOps[:1]
)

// fields are the types of fields: those that kernel/auditfilter.c
// (audit_field_valid, audit_data_to_entry) and the functions that these call know, with
// the lists on which they mean something.
var fields = []fieldRow{
	{typ: FieldPID, name: "pid", value: number{}, ops: ordered},
	{typ: fieldUID, name: "uid", value: userID{}, ops: ordered},
	{typ: 2, name: "euid", value: userID{}, ops: ordered},
	{typ: 3, name: "suid", value: userID{}, ops: ordered},
	{typ: 4, name: "fsuid", value: userID{}, ops: ordered},
	{typ: fieldGID, name: "gid", value: groupID{}, ops: ordered},
	{typ: fieldEGID, name: "egid", value: groupID{}, ops: ordered},
	{typ: 7, name: "sgid", value: groupID{}, ops: ordered},
	{typ: 8, name: "fsgid", value: groupID{}, ops: ordered},
	{typ: FieldAUID, name: "auid", also: []string{"loginuid"}, value: userID{unset: true}, ops: ordered},
	{typ: fieldPers, name: "pers", value: number{}, ops: allOps},
	{typ: FieldArch, name: "arch", value: archValue{}, ops: sameness},
	{typ: FieldMsgType, name: "msgtype", value: coded{what: "type of records", words: messageTypes}, ops: ordered, lists: []List{User, Exclude}},
	{typ: fieldSubjUser, name: "subj_user", value: text{}, ops: sameness},
	{typ: fieldSubjRole, name: "subj_role", value: text{}, ops: sameness},
	{typ: fieldSubjType, name: "subj_type", value: text{}, ops: sameness},
	{typ: fieldSubjSen, name: "subj_sen", value: text{}, ops: ordered},
	{typ: fieldSubjClr, name: "subj_clr", value: text{}, ops: ordered},
	{typ: fieldPPID, name: "ppid", value: number{}, ops: ordered},
	{typ: 19, name: "obj_user", value: text{}, ops: sameness},
	{typ: 20, name: "obj_role", value: text{}, ops: sameness},
	{typ: 21, name: "obj_type", value: text{}, ops: sameness},
	{typ: fieldObjLevLow, name: "obj_lev_low", value: text{}, ops: ordered},
	{typ: fieldObjLevHigh, name: "obj_lev_high", value: text{}, ops: ordered},
	{typ: FieldAUIDSet, name: "loginuid_set", value: number{max: 1, limited: true}, ops: sameness},
	{typ: fieldSessionID, name: "sessionid", value: number{unset: true}, ops: ordered},
	{typ: FieldFSType, name: "fstype", value: coded{what: "type of file systems", words: just(fsTypes), hex: true}, ops: sameness, lists: []List{Filesystem}},
	{typ: fieldDevMajor, name: "devmajor", value: number{}, ops: ordered},
	{typ: fieldDevMinor, name: "devminor", value: number{}, ops: allOps},
	{typ: FieldInode, name: "inode", value: number{}, ops: sameness, lists: []List{Exit, IOURing}},
	{typ: FieldExit, name: "exit", value: exitValue{}, ops: ordered},
	{typ: fieldSuccess, name: "success", value: number{max: 1, limited: true}, ops: ordered},
	{typ: FieldPath, name: "path", value: path{}, ops: onlySame, lists: []List{Exit, IOURing}},
	{typ: FieldPerm, name: "perm", value: permValue{}, ops: sameness, lists: []List{User, Task, Exit, Exclude}},
	{typ: FieldDir, name: "dir", value: path{dir: true}, ops: onlySame, lists: []List{Exit, IOURing}},
	{typ: FieldFileType, name: "filetype", value: fileType{coded{what: "type of files", words: just(fileTypes)}}, ops: sameness},
	{typ: fieldObjUID, name: "obj_uid", value: userID{}, ops: ordered},
	{typ: fieldObjGID, name: "obj_gid", value: groupID{}, ops: ordered},
	{typ: FieldCompare, name: "field_compare", value: number{max: maxCompare, limited: true}, ops: sameness},
	{typ: FieldExe, name: "exe", value: path{}, ops: sameness},
	{typ: FieldSockAddr, name: "saddr_fam", value: family{coded{what: "family of addresses", words: just(families)}}, ops: ordered},
	{typ: fieldArgument0, name: "a0", value: argument{}, ops: allOps},
	{typ: fieldArgument0 + 1, name: "a1", value: argument{}, ops: allOps},
	{typ: fieldArgument0 + 2, name: "a2", value: argument{}, ops: allOps},
	{typ: fieldArgument0 + 3, name: "a3", value: argument{}, ops: allOps},
	{typ: FieldKey, name: "key", value: text{}, ops: onlySame, lists: []List{User, Task, Exit, Exclude, Filesystem, IOURing}},
}

// maxCompare is AUDIT_MAX_FIELD_COMPARE.
const maxCompare = 25

var fieldByType = func() map[FieldType]*fieldRow {
	m := map[FieldType]*fieldRow{}
	for i := range fields {
		m[fields[i].typ] = &fields[i]
	}
	return m
}()

// fieldNamed returns the row of a name. Case does not matter, as in auditctl.
func fieldNamed(name string) *fieldRow {
	name = strings.ToLower(name)
	for i := range fields {
		if fields[i].name == name || slices.Contains(fields[i].also, name) {
			return &fields[i]
		}
	}
	return nil
}

func fieldNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range fields {
			if !yield(fields[i].name) {
				return
			}
		}
	}
}

// ParseFieldType returns the type of the field that auditctl(8) calls name. Case does not
// matter.
func ParseFieldType(name string) (FieldType, error) {
	if row := fieldNamed(name); row != nil {
		return row.typ, nil
	}
	return 0, fmt.Errorf("%q is no field%s", name, suggestion(name, fieldNames()))
}

// String returns auditctl's name of the field, fieldN for an unknown one.
func (t FieldType) String() string {
	if row := fieldByType[t]; row != nil {
		return row.name
	}
	return fmt.Sprintf("field%d", uint32(t))
}

// IsText tells whether a field of the type has a text, not a number.
func (t FieldType) IsText() bool {
	row := fieldByType[t]
	return row != nil && row.value.isText()
}

// isPath tells whether a field of the type has the name of a file.
func (t FieldType) isPath() bool { return t == FieldPath || t == FieldDir || t == FieldExe }

// allows tells whether the kernel takes a field of this type on a list.
func (row *fieldRow) allows(l List) bool {
	if row.lists == nil {
		return l != Filesystem
	}
	return slices.Contains(row.lists, l)
}
