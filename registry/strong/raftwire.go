package strong

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/hashicorp/raft"
)

// The messages of raft as bytes. What is decoded has been checked as far as
// raft itself would panic: see checkEntries.

func appendHeader(b []byte, h raft.RPCHeader) []byte {
	b = binary.AppendUvarint(b, uint64(h.ProtocolVersion))
	b = appendBytes(b, h.ID)
	return appendBytes(b, h.Addr)
}

func (r *reader) header() raft.RPCHeader {
	version := r.uint()
	if version > math.MaxInt32 {
		r.fail()
	}
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersion(version), ID: r.bytes(), Addr: r.bytes()}
}

func appendLog(b []byte, l *raft.Log) []byte {
	b = binary.AppendUvarint(b, l.Index)
	b = binary.AppendUvarint(b, l.Term)
	b = append(b, byte(l.Type))
	b = appendBytes(b, l.Data)
	b = appendBytes(b, l.Extensions)
	var at int64
	if !l.AppendedAt.IsZero() {
		at = l.AppendedAt.UnixNano()
	}
	return binary.AppendVarint(b, at)
}

// log reads an entry, whose data is part of what is read.
func (r *reader) log(l *raft.Log) {
	l.Index, l.Term = r.uint(), r.uint()
	l.Type = raft.LogType(r.octet())
	l.Data, l.Extensions = r.bytes(), r.bytes()
	at, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail()
		return
	}
	r.b = r.b[size:]
	if at != 0 {
		l.AppendedAt = time.Unix(0, at)
	}
}

// minLog is the least number of bytes of an entry.
const minLog = 6

func encodeRequest(command any) (kind, []byte) {
	switch m := command.(type) {
	case *raft.AppendEntriesRequest:
		size := 64
		for _, l := range m.Entries {
			size += 32 + len(l.Data) + len(l.Extensions)
		}
		b := appendHeader(make([]byte, 0, size), m.RPCHeader)
		for _, n := range [...]uint64{m.Term, m.PrevLogEntry, m.PrevLogTerm, m.LeaderCommitIndex, uint64(len(m.Entries))} {
			b = binary.AppendUvarint(b, n)
		}
		for _, l := range m.Entries {
			b = appendLog(b, l)
		}
		return kindAppend, b
	case *raft.RequestVoteRequest:
		b := appendHeader(nil, m.RPCHeader)
		for _, n := range [...]uint64{m.Term, m.LastLogIndex, m.LastLogTerm} {
			b = binary.AppendUvarint(b, n)
		}
		return kindVote, appendBool(b, m.LeadershipTransfer)
	case *raft.RequestPreVoteRequest:
		b := appendHeader(nil, m.RPCHeader)
		for _, n := range [...]uint64{m.Term, m.LastLogIndex, m.LastLogTerm} {
			b = binary.AppendUvarint(b, n)
		}
		return kindPreVote, b
	case *raft.InstallSnapshotRequest:
		b := appendHeader(nil, m.RPCHeader)
		for _, n := range [...]uint64{uint64(m.SnapshotVersion), m.Term, m.LastLogIndex, m.LastLogTerm, m.ConfigurationIndex, uint64(m.Size)} {
			b = binary.AppendUvarint(b, n)
		}
		return kindSnapshot, appendBytes(b, m.Configuration)
	case *raft.TimeoutNowRequest:
		return kindTimeout, appendHeader(nil, m.RPCHeader)
	}
	panic(fmt.Sprintf("strong: raft sends a %T", command))
}

func decodeRequest(k kind, body []byte) (any, error) {
	r := &reader{b: body}
	h := r.header()
	switch k {
	case kindAppend:
		m := &raft.AppendEntriesRequest{RPCHeader: h, Term: r.uint(), PrevLogEntry: r.uint(), PrevLogTerm: r.uint(), LeaderCommitIndex: r.uint()}
		if n := r.count(minLog); n > 0 {
			logs := make([]raft.Log, n)
			m.Entries = make([]*raft.Log, n)
			for i := range logs {
				r.log(&logs[i])
				m.Entries[i] = &logs[i]
			}
		}
		if err := r.end(); err != nil {
			return nil, err
		}
		return m, checkEntries(m)
	case kindVote:
		m := &raft.RequestVoteRequest{RPCHeader: h, Term: r.uint(), LastLogIndex: r.uint(), LastLogTerm: r.uint(), LeadershipTransfer: r.yes()}
		return m, r.end()
	case kindPreVote:
		m := &raft.RequestPreVoteRequest{RPCHeader: h, Term: r.uint(), LastLogIndex: r.uint(), LastLogTerm: r.uint()}
		return m, r.end()
	case kindSnapshot:
		return decodeSnapshotHead(h, r)
	case kindTimeout:
		return &raft.TimeoutNowRequest{RPCHeader: h}, r.end()
	}
	return nil, errMalformed
}

func decodeSnapshotHead(h raft.RPCHeader, r *reader) (any, error) {
	version := r.uint()
	m := &raft.InstallSnapshotRequest{RPCHeader: h, Term: r.uint(), LastLogIndex: r.uint(), LastLogTerm: r.uint(), ConfigurationIndex: r.uint()}
	size := r.uint()
	m.Configuration = r.bytes()
	if err := r.end(); err != nil {
		return nil, err
	}
	if version != uint64(raft.SnapshotVersionMax) || size > math.MaxInt64 || !decodable(m.Configuration) {
		return nil, errMalformed
	}
	m.SnapshotVersion, m.Size = raft.SnapshotVersion(version), int64(size)
	return m, nil
}

// checkEntries refuses entries on which raft, which trusts its peers, would
// panic: those that leave a gap in the log, of unknown types, and with a
// configuration that cannot be read.
func checkEntries(m *raft.AppendEntriesRequest) error {
	for i, l := range m.Entries {
		if l.Index != m.PrevLogEntry+1+uint64(i) {
			return errMalformed
		}
		switch l.Type {
		case raft.LogCommand, raft.LogNoop, raft.LogBarrier:
		case raft.LogConfiguration:
			if !decodable(l.Data) {
				return errMalformed
			}
		default:
			return errMalformed
		}
	}
	return nil
}

// decodable reports whether raft can read a configuration. Its own function for
// that panics if not.
func decodable(configuration []byte) (ok bool) {
	defer func() { ok = recover() == nil }()
	raft.DecodeConfiguration(configuration)
	return true
}

func encodeResponse(response any) []byte {
	switch m := response.(type) {
	case *raft.AppendEntriesResponse:
		b := appendHeader(make([]byte, 0, 160), m.RPCHeader)
		b = binary.AppendUvarint(b, m.Term)
		b = binary.AppendUvarint(b, m.LastLog)
		return appendBool(appendBool(b, m.Success), m.NoRetryBackoff)
	case *raft.RequestVoteResponse:
		return appendBool(binary.AppendUvarint(appendHeader(nil, m.RPCHeader), m.Term), m.Granted)
	case *raft.RequestPreVoteResponse:
		return appendBool(binary.AppendUvarint(appendHeader(nil, m.RPCHeader), m.Term), m.Granted)
	case *raft.InstallSnapshotResponse:
		return appendBool(binary.AppendUvarint(appendHeader(nil, m.RPCHeader), m.Term), m.Success)
	case *raft.TimeoutNowResponse:
		return appendHeader(nil, m.RPCHeader)
	}
	panic(fmt.Sprintf("strong: raft answers a %T", response))
}

// decodeResponse fills response, one of raft's.
func decodeResponse(body []byte, response any) error {
	r := &reader{b: body}
	h := r.header()
	switch m := response.(type) {
	case *raft.AppendEntriesResponse:
		*m = raft.AppendEntriesResponse{RPCHeader: h, Term: r.uint(), LastLog: r.uint(), Success: r.yes(), NoRetryBackoff: r.yes()}
	case *raft.RequestVoteResponse:
		*m = raft.RequestVoteResponse{RPCHeader: h, Term: r.uint(), Granted: r.yes()}
	case *raft.RequestPreVoteResponse:
		*m = raft.RequestPreVoteResponse{RPCHeader: h, Term: r.uint(), Granted: r.yes()}
	case *raft.InstallSnapshotResponse:
		*m = raft.InstallSnapshotResponse{RPCHeader: h, Term: r.uint(), Success: r.yes()}
	case *raft.TimeoutNowResponse:
		*m = raft.TimeoutNowResponse{RPCHeader: h}
	default:
		panic(fmt.Sprintf("strong: raft wants a %T", response))
	}
	return r.end()
}
