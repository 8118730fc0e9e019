// A BMP stream through GoBGP's packet library: bmp-gobgp count|json FILE.
//
// count: every message parsed, routes counted in what came out; json: each UPDATE as a line of JSON, as its
// own types are rendered, to standard output.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"

	"github.com/osrg/gobgp/v4/pkg/packet/bgp"
	"github.com/osrg/gobgp/v4/pkg/packet/bmp"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bmp-gobgp count|json FILE")
		os.Exit(2)
	}
	data, err := os.ReadFile(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<18)
	lines := json.NewEncoder(out)
	messages, routes, failed := 0, 0, 0
	for len(data) >= bmp.BMP_HEADER_SIZE {
		// By hand, so that a message that it can't parse costs only itself.
		length := int(binary.BigEndian.Uint32(data[1:]))
		if length < bmp.BMP_HEADER_SIZE || length > len(data) {
			break
		}
		message, err := bmp.ParseBMPMessage(data[:length])
		data = data[length:]
		messages++
		if err != nil {
			failed++
			continue
		}
		monitoring, ok := message.Body.(*bmp.BMPRouteMonitoring)
		if !ok {
			continue
		}
		update, ok := monitoring.BGPUpdate.Body.(*bgp.BGPUpdate)
		if !ok {
			continue
		}
		routes += len(update.WithdrawnRoutes) + len(update.NLRI)
		for _, attribute := range update.PathAttributes {
			switch mp := attribute.(type) {
			case *bgp.PathAttributeMpReachNLRI:
				routes += len(mp.Value)
			case *bgp.PathAttributeMpUnreachNLRI:
				routes += len(mp.Value)
			}
		}
		if os.Args[1] == "json" {
			if err := lines.Encode(update); err != nil {
				failed++
			}
		}
	}
	out.Flush()
	fmt.Fprintf(os.Stderr, "{\"messages\":%d,\"routes\":%d,\"failed\":%d}\n", messages, routes, failed)
}
