// Package secure puts mutual TLS 1.3 between a node and the [Carrier] that makes
// its connections.
//
//	  node a                                          node b
//	     |  Dial "b.example:4000"                        |  Accept
//	[Transport] ---- ClientHello, ALPN topos/1 ----> [Transport]
//	     |      <--- certificate: b.example ----         |
//	     |      ---- certificate: a.example --->         |  VerifyPeer
//	     v               both of the same CA             v
//	  [Carrier] ============== TCP ================== [Carrier]
//
// The smallest program:
//
//	transport, err := secure.New(remote.TCP{}, secure.Config{
//		CertFile: "tls.crt", KeyFile: "tls.key", CAFile: "ca.crt",
//	})
//	defer transport.Close()
//	listener, err := transport.Listen("10.0.0.7:4000")
//	conn, err := transport.Dial(ctx, "10.0.0.8:4000")
//
// Both sides show a certificate that an authority in CAFile has signed, and
// prove that they have its key. There is nothing older than TLS 1.3, nothing in
// the clear and no resumption: every connection is verified anew, against the
// authorities of that moment. The cluster secret is proven above it, by package
// handshake; who has a certificate and not the secret gets no further than that.
//
// # Names
//
// A certificate must be for the host in its node's name: "10.0.0.7" for the
// node "a@10.0.0.7:4000", as a subject alternative name. The side that dials
// compares what it has dialled, before it sends a byte; so a host given to
// remote.Config.Join must be in the certificates of the nodes that answer there.
// The side that accepts learns the other's name only from the handshake above,
// and asks [Conn.VerifyPeer] then. Config.Names and Config.VerifyName are for
// clusters whose certificates are not made for hosts: nodes behind address
// translation, one certificate for all.
//
// # What happens when a certificate expires
//
// Connections that stand go on: TLS looks at certificates when a connection is
// made. New ones are refused by the other side with [ErrExpired], so a node
// whose certificate has expired is lost for good with its last connection,
// and cannot join again. The files are read every Config.Reload: replace
// them while the certificate is good. When a tenth of its lifetime is left there
// is a warning in the log, and an error when it has ended; [Stats] has the time,
// for an alarm. Whatever has already expired is repaired by replacing the
// files: nodes dial again by themselves.
//
// That connections stand also means that a certificate cannot be taken back from
// a node that is connected. There is no revocation, neither lists nor OCSP: give
// certificates short lives. To shut a node out at once, begin a new CA as below,
// give everybody else a certificate of it, take the old CA out of CAFile, and
// restart the nodes one by one, or cut their connections at the firewall.
//
// # Rotation
//
// A certificate and its key are replaced by writing both files. If they are
// read in between, or are broken, or not signed by an authority in CAFile, the
// pair in use stays, the error is logged, counted, and in [Stats.ReloadError],
// and the files are looked at again after Config.Reload. Contents count, so
// that files may be renamed over, or be links into a directory that is swapped,
// as Kubernetes does.
//
// An authority is replaced in three steps, each done everywhere before the next:
// CAFile has both authorities; every node has a certificate of the new one;
// CAFile has the new one only.
//
// # What happens when the other side crashes, or is no node
//
// The handshake of an accepted connection is done by whoever reads or writes
// first, never in Accept: a client that is slow costs its own goroutine, until
// the deadline of its connection, and may send no more than a few hundred
// kilobytes. What is refused is a [HandshakeError], whose reasons can be told
// apart by errors.Is, and counted in [Stats]. Whoever has been refused is told
// why, as far as TLS has words for it; since the side that dials finishes first
// in TLS 1.3, its first Read reports that, not Dial. A peer that goes away in
// the middle is not a refusal: errors of the network stay what they are.
//
// # What it costs
//
// One round trip and half a millisecond of a processor on each side for a
// connection; then about one second for each gigabyte or two, and 22 bytes for
// every 16 KiB. A [Conn] is no *net.TCPConn. A net.Buffers written to it with
// WriteTo becomes a record and a system call for each buffer, and ten times
// slower than with [Conn.WriteBuffers] if these are small. Nothing is spliced by
// the kernel. Options of the socket are the carrier's to set, before it hands
// the connection over.
//
// # Authority
//
// [Authority] makes certificates for tests, and for clusters without a public
// key infrastructure of their own. Its key is a file: guard it, and keep it away
// from the nodes.
package secure
