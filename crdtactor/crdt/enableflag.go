package crdt

// EnableFlag is on or off. Disable turns off what it has seen; if the flag is
// enabled at one replica while another disables it, it stays on.
//
// It keeps one dot for each concurrent Enable, and none when off. The zero
// EnableFlag is off and ready to use; it must not be copied after first use.
// See [State] for concurrency and ownership, and [Digester] for anti-entropy.
type EnableFlag struct {
	causal
}

// Enable turns the flag on, on behalf of replica, and returns the delta. On a
// flag that is on it is not idle: it outlasts a Disable that is under way.
func (f *EnableFlag) Enable(replica ReplicaID) (delta *EnableFlag) {
	replica.mustBeNamed()
	f.open()
	delta = &EnableFlag{fresh()}
	f.replace(f.root, replica, &delta.causal, delta.root)
	return delta
}

// Disable turns the flag off and returns the delta; it is zero if the flag was
// off.
func (f *EnableFlag) Disable() (delta *EnableFlag) {
	delta = &EnableFlag{fresh()}
	if f.book != nil {
		f.clear(f.root, "", &delta.causal, delta.root)
	}
	return delta
}

// Enabled reports whether the flag is on.
func (f *EnableFlag) Enabled() bool { return len(f.tree().births) > 0 }

// Join implements [State].
func (f *EnableFlag) Join(other *EnableFlag) bool { return other != nil && f.join(&other.causal) }

// Clone implements [State].
func (f *EnableFlag) Clone() *EnableFlag { return &EnableFlag{f.clone()} }

// Equal implements [State].
func (f *EnableFlag) Equal(other *EnableFlag) bool { return f.equal(&other.causal) }

// DeltaSince implements [Digester].
func (f *EnableFlag) DeltaSince(d *Digest) *EnableFlag { return &EnableFlag{f.since(d)} }

// Foldable implements [Folder].
func (f *EnableFlag) Foldable(replica ReplicaID) bool { return f.foldable(replica) }

// Fold implements [Folder].
func (f *EnableFlag) Fold(replica ReplicaID) *EnableFlag { return &EnableFlag{f.fold(replica)} }

// MarshalBinary implements [State].
func (f *EnableFlag) MarshalBinary() ([]byte, error) { return f.encode(f.shape()), nil }

// UnmarshalBinary implements [State].
func (f *EnableFlag) UnmarshalBinary(data []byte) error { return f.decode(data, f.shape()) }

func (*EnableFlag) shape() shape              { return shape{kinds: kindEnableFlag} }
func (*EnableFlag) nest(c causal) *EnableFlag { return &EnableFlag{c} }

func (f *EnableFlag) core() *causal {
	if f == nil {
		return nil
	}
	return &f.causal
}
