package spec

// Marshal returns the document as minimal YAML in a stable order: what is the
// default is left out.
func (d *Document) Marshal() ([]byte, error) {
	w := writer{names: d.names}
	if w.names == nil {
		w.names = SystemNames()
	}
	header := *d
	if header.Version == 0 {
		header.Version = CurrentVersion
	}
	if header.Owner == DefaultOwner {
		header.Owner = ""
	}
	if header.Owner == "" && header.Protocol == DefaultProtocol {
		header.Protocol = 0
	}
	w.openMap(false)
	documentObject.write(&w, &header)
	w.close()
	return w.buf, nil
}
