//! A BMP stream through bgpkit-parser: `bmp-bgpkit count|elems|json FILE`.
//!
//! count: every message parsed, routes counted in what came out; elems: a BgpElem per route, as its users
//! have them; json: each of those as a line of JSON to standard output.
use bgpkit_parser::models::*;
use bgpkit_parser::parser::bmp::messages::BmpMessageBody;
use bgpkit_parser::{Elementor, parse_bmp_msg};
use bytes::Bytes;
use std::io::{BufWriter, Write};

fn prefixes(nlri: &Option<&Nlri>) -> u64 {
    nlri.map_or(0, |nlri| nlri.prefixes.len() as u64)
}

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(mode), Some(path)) = (args.next(), args.next()) else {
        eprintln!("usage: bmp-bgpkit count|elems|json FILE");
        std::process::exit(2);
    };
    let mut data = Bytes::from(std::fs::read(path).expect("the file"));
    let mut out = BufWriter::with_capacity(1 << 18, std::io::stdout().lock());
    let (mut messages, mut routes, mut failed) = (0u64, 0u64, 0u64);
    while data.len() >= 6 {
        // By hand, so that a message that it can't parse costs only itself.
        let length = u32::from_be_bytes([data[1], data[2], data[3], data[4]]) as usize;
        if length < 6 || length > data.len() {
            break;
        }
        let mut one = data.split_to(length);
        messages += 1;
        let Ok(message) = parse_bmp_msg(&mut one) else {
            failed += 1;
            continue;
        };
        let BmpMessageBody::RouteMonitoring(monitoring) = message.message_body else {
            continue;
        };
        if mode == "count" {
            if let BgpMessage::Update(update) = monitoring.bgp_message {
                routes += (update.withdrawn_prefixes.len() + update.announced_prefixes.len()) as u64;
                routes += prefixes(&update.attributes.get_reachable_nlri());
                routes += prefixes(&update.attributes.get_unreachable_nlri());
            }
            continue;
        }
        let peer = message.per_peer_header.expect("Route Monitoring has one");
        let elems = Elementor::bgp_to_elems(
            monitoring.bgp_message,
            peer.timestamp,
            &peer.peer_ip,
            &peer.peer_asn,
        );
        routes += elems.len() as u64;
        if mode == "json" {
            for elem in &elems {
                serde_json::to_writer(&mut out, elem).expect("a line");
                out.write_all(b"\n").expect("a line");
            }
        }
    }
    out.flush().expect("the last lines");
    eprintln!("{{\"messages\":{messages},\"routes\":{routes},\"failed\":{failed}}}");
}
