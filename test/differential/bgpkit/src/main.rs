//! BMP messages on stdin (4 octets of length, then the message, again and again), what bgpkit-parser makes of
//! each on stdout: a JSON line per message.

use bgpkit_parser::models::{AsPath, AsPathSegment, BgpElem, Community, MetaCommunity, NetworkPrefix};
use bgpkit_parser::parser::bmp::messages::BmpMessageBody;
use bgpkit_parser::parser::bmp::parse_bmp_msg;
use bgpkit_parser::Elementor;
use bytes::Bytes;
use std::io::{Read, Write};
use std::panic;

fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn option<T: ToString>(value: &Option<T>) -> String {
    value.as_ref().map_or("null".into(), |v| text(&v.to_string()))
}

fn prefix_of(prefix: &NetworkPrefix) -> (String, Option<u32>) {
    (prefix.prefix.to_string(), prefix.path_id)
}

/// [[type, [asn, ...]], ...]
fn segments(path: &AsPath) -> String {
    let list: Vec<String> = path
        .iter_segments()
        .map(|segment| {
            let (kind, asns) = match segment {
                AsPathSegment::AsSet(v) => (1, v),
                AsPathSegment::AsSequence(v) => (2, v),
                AsPathSegment::ConfedSequence(v) => (3, v),
                AsPathSegment::ConfedSet(v) => (4, v),
            };
            let numbers: Vec<String> = asns.iter().map(|asn| u32::from(*asn).to_string()).collect();
            format!("[{},[{}]]", kind, numbers.join(","))
        })
        .collect();
    format!("[{}]", list.join(","))
}

fn element(elem: &BgpElem) -> String {
    let (prefix, path_id) = prefix_of(&elem.prefix);
    let mut plain = vec![];
    let mut large = vec![];
    for community in elem.communities.iter().flatten() {
        match community {
            MetaCommunity::Plain(c) => plain.push(text(&match c {
                Community::NoExport => "65535:65281".to_string(),
                Community::NoAdvertise => "65535:65282".to_string(),
                Community::NoExportSubConfed => "65535:65283".to_string(),
                Community::Custom(asn, value) => format!("{}:{}", u32::from(*asn), value),
            })),
            MetaCommunity::Large(c) => large.push(text(&format!(
                "{}:{}:{}",
                c.global_admin, c.local_data[0], c.local_data[1]
            ))),
            _ => {}
        }
    }
    format!(
        "{{\"announce\":{},\"prefix\":{},\"path_id\":{},\"next_hop\":{},\"as_path\":{},\"origin\":{},\"local_pref\":{},\"med\":{},\"communities\":[{}],\"large\":[{}]}}",
        elem.elem_type == bgpkit_parser::models::ElemType::ANNOUNCE,
        text(&prefix),
        path_id.map_or("null".into(), |id| id.to_string()),
        option(&elem.next_hop),
        elem.as_path.as_ref().map_or("null".into(), segments),
        option(&elem.origin),
        option(&elem.local_pref),
        option(&elem.med),
        plain.join(","),
        large.join(","),
    )
}

fn decode(message: Vec<u8>) -> String {
    let mut data = Bytes::from(message);
    match parse_bmp_msg(&mut data) {
        Err(error) => format!("{{\"error\":{}}}", text(&format!("{error:?}"))),
        Ok(parsed) => match parsed.message_body {
            BmpMessageBody::RouteMonitoring(monitoring) => {
                let Some(header) = parsed.per_peer_header else {
                    return "{\"error\":\"no per-peer header\"}".into();
                };
                let elems = Elementor::bgp_to_elems(
                    monitoring.bgp_message,
                    0.0,
                    &header.peer_ip,
                    &header.peer_asn,
                );
                let lines: Vec<String> = elems.iter().map(element).collect();
                format!("{{\"elements\":[{}]}}", lines.join(","))
            }
            _ => "{\"elements\":[]}".into(),
        },
    }
}

fn main() {
    panic::set_hook(Box::new(|_| {}));
    let mut input = vec![];
    std::io::stdin().read_to_end(&mut input).expect("stdin");
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let mut at = 0;
    while at + 4 <= input.len() {
        let octets = u32::from_be_bytes(input[at..at + 4].try_into().expect("4 octets")) as usize;
        let message = input[at + 4..at + 4 + octets].to_vec();
        at += 4 + octets;
        let line = panic::catch_unwind(|| decode(message))
            .unwrap_or_else(|_| "{\"panic\":true}".to_string());
        writeln!(out, "{line}").expect("stdout");
    }
}
