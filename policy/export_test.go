package policy

// CachedChanged is Cached by a compiler that is wrong in the way of change,
// which gets what the document is about to say after the stage.
func (t *Table) CachedChanged(form PathForm, a ARN, s Set, change func(allow, deny, never []string) ([]string, []string, []string)) (*Document, error) {
	p := t.plan(form, s)
	p.allow, p.deny, p.never = change(p.allow, p.deny, p.never)
	return newDocument(a, p)
}
