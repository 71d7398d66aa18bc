package main

import (
	"fmt"
	"net"
	"os/exec"
)

// erlang is Erlang/OTP, where it is installed: two nodes that know each other's
// port, so that no port mapper is needed.
func erlang(root, dir string) side {
	s := side{name: "erlang"}
	erl, err := exec.LookPath("erl")
	if err != nil {
		s.err = err
		return s
	}
	out, err := exec.Command("erlc", "-o", dir, root+"/bench/peers/erlang/pair.erl").CombinedOutput()
	if err != nil {
		s.err = fmt.Errorf("%w: %s", err, firstLine(out))
		return s
	}
	const release = `io:put_chars(["OTP ", erlang:system_info(otp_release)]), halt().`
	if out, err := exec.Command(erl, "-noshell", "-eval", release).Output(); err == nil {
		s.version = firstLine(out)
	}
	s.node = func(r role) []string {
		addr := r.listen
		if !r.server {
			addr = r.ready.Server
		}
		_, port, _ := net.SplitHostPort(addr)
		args := []string{
			"env", "HOME=" + dir, erl, "-noshell", "-pa", dir, "-setcookie", r.cookie,
			"-start_epmd", "false", "-erl_epmd_port", port,
			"-kernel", "inet_dist_use_interface", "{127,0,0,1}",
		}
		if r.server {
			args = append(args, "-name", "server@127.0.0.1")
		} else {
			args = append(args, "-name", "client@127.0.0.1", "-dist_listen", "false")
		}
		return append(append(args, "-s", "pair", "-extra"), r.flags()...)
	}
	return s
}
