package strong

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"slices"
	"time"
)

// image is a copy of a machine's state, for a snapshot.
type image struct {
	epoch, count uint64
	settling     bool
	names        map[string]holding
	leases       map[string]lease
	sessions     map[uint64]*session
}

// imageVersion is the first byte of a snapshot.
const imageVersion = 1

// maxRecord bounds one record of a snapshot: a session with all its results,
// each of which may hold the longest value.
const maxRecord = 64 << 20

// image returns a copy of the state. The values are not copied: they are never
// changed, but for sessions.
func (m *machine) image() *image {
	sessions := make(map[uint64]*session, len(m.sessions))
	for id, s := range m.sessions {
		sessions[id] = &session{node: s.node, settled: s.settled, results: maps.Clone(s.results)}
	}
	return &image{m.epoch, m.count, m.settling, maps.Clone(m.names), maps.Clone(m.leases), sessions}
}

// write writes the image as records, each behind its length: a head, then the
// names, leases and sessions in order.
func (i *image) write(to io.Writer) error {
	w := bufio.NewWriterSize(to, 64<<10) // it keeps its first error for Flush
	put := func(record []byte) { _, _ = w.Write(appendBytes(nil, record)) }
	head := []byte{imageVersion}
	for _, n := range [...]uint64{i.epoch, i.count, uint64(len(i.names)), uint64(len(i.leases)), uint64(len(i.sessions))} {
		head = binary.AppendUvarint(head, n)
	}
	put(appendBool(head, i.settling))
	for _, name := range slices.Sorted(maps.Keys(i.names)) {
		h := i.names[name]
		put(appendToken(appendBytes(appendBytes(nil, name), h.value), h.token))
	}
	for _, name := range slices.Sorted(maps.Keys(i.leases)) {
		l := i.leases[name]
		b := appendToken(appendBytes(appendBytes(nil, name), l.value), l.token)
		put(binary.AppendUvarint(binary.AppendUvarint(b, uint64(l.ttl)), l.renewed))
	}
	for _, id := range slices.Sorted(maps.Keys(i.sessions)) {
		s := i.sessions[id]
		b := binary.AppendUvarint(appendBytes(binary.AppendUvarint(nil, id), s.node), s.settled)
		b = binary.AppendUvarint(b, uint64(len(s.results)))
		for _, seq := range slices.Sorted(maps.Keys(s.results)) {
			b = appendResult(binary.AppendUvarint(b, seq), s.results[seq])
		}
		put(b)
	}
	return w.Flush()
}

// readImage makes a machine of what write wrote.
func readImage(from io.Reader) (*machine, error) {
	in := bufio.NewReaderSize(from, 64<<10)
	head, err := readRecord(in)
	if err != nil {
		return nil, err
	}
	if head.octet() != imageVersion {
		return nil, errMalformed
	}
	m := newMachine()
	m.epoch, m.count = head.uint(), head.uint()
	names, leases, sessions := head.uint(), head.uint(), head.uint()
	m.settling = head.yes()
	if err := head.end(); err != nil {
		return nil, err
	}
	read := func(n uint64, take func(*reader)) {
		for ; n > 0 && err == nil; n-- {
			var r *reader
			if r, err = readRecord(in); err == nil {
				take(r)
				err = r.end()
			}
		}
	}
	read(names, func(r *reader) { m.names[r.text()] = holding{value: r.text(), token: r.token()} })
	read(leases, func(r *reader) {
		m.leases[r.text()] = lease{value: r.text(), token: r.token(), ttl: time.Duration(r.uint()), renewed: r.uint()}
	})
	read(sessions, func(r *reader) {
		id := r.uint()
		s := &session{node: r.text(), settled: r.uint(), results: make(map[uint64]result)}
		for range r.count(1) {
			seq := r.uint()
			s.results[seq] = r.result()
		}
		m.sessions[id] = s
	})
	if err != nil {
		return nil, err
	}
	if _, err := in.ReadByte(); err != io.EOF {
		return nil, errMalformed
	}
	return m, nil
}

func readRecord(in *bufio.Reader) (*reader, error) {
	size, err := binary.ReadUvarint(in)
	if err != nil || size > maxRecord {
		return nil, errors.Join(errMalformed, err)
	}
	// Memory is taken as the bytes come, not as the length says.
	record, err := io.ReadAll(io.LimitReader(in, int64(size)))
	if err != nil || uint64(len(record)) != size {
		return nil, errors.Join(errMalformed, err)
	}
	return &reader{b: record}, nil
}
