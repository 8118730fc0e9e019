/**
 * The package's API: each name is here on purpose, and a test holds the list. What the modules export
 * beside it is for each other.
 */

// What is wrong with the bytes.
export {
  DecodeError,
  MAX_REPORTED_OCTETS,
  reportError,
  type DecodeCode,
  type DecodeErrorInfo,
  type DecodeErrorReport,
  type Handling,
} from './errors.ts'

// BMP, the friendly face: octets of a stream to messages, a message to plain data.
export {
  BMP_HEADER_OCTETS,
  BMP_INITIATION,
  BMP_PEER_DOWN,
  BMP_PEER_UP,
  BMP_ROUTE_MIRRORING,
  BMP_ROUTE_MONITORING,
  BMP_STATISTICS,
  BMP_TERMINATION,
  BmpFramer,
  DEFAULT_MAX_MESSAGE_OCTETS,
  type BmpFramerOptions,
  type OnBmpMessage,
} from './bmp/framer.ts'
export { decodeBmpMessage, type BmpMessage, type DecodeOptions } from './bmp/message.ts'
export type { InformationPlace, InformationTlv } from './bmp/information-tlvs.ts'
export type { RouteMonitoring, RouteMonitoringTlv } from './bmp/msg-0-route-monitoring.ts'
export { statisticName, type Statistic } from './bmp/msg-1-statistics.ts'
export { peerDownReasonName, type PeerDown } from './bmp/msg-2-peer-down.ts'
export type { PeerUp } from './bmp/msg-3-peer-up.ts'
export type { Initiation } from './bmp/msg-4-initiation.ts'
export type { Termination } from './bmp/msg-5-termination.ts'
export type { MirroringTlv, RouteMirroring } from './bmp/msg-6-route-mirroring.ts'
export {
  parseV4TlvTable,
  V4_TLV_TABLES,
  type V4TlvName,
  type V4TlvTable,
} from './bmp/v4-tlv-table.ts'
export { describePeer, type BmpPeer } from './bmp/peer.ts'

// BGP, the friendly face: messages that stand alone.
export {
  parseBgpMessage,
  type BgpContext,
  type BgpKeepalive,
  type BgpMessage,
  type BgpUnknownMessage,
} from './bgp/message.ts'
export {
  parseUpdate,
  type BgpUpdate,
  type PrefixRoute,
  type Route,
  type RouteGroup,
} from './bgp/update.ts'
export { parseOpen, type BgpOpen } from './bgp/open/open.ts'
export { parseCapabilities, type Capability, type Family } from './bgp/open/capabilities.ts'
export {
  notificationName,
  notificationSubcodeName,
  type BgpNotification,
} from './bgp/notification.ts'
export type { BgpRouteRefresh } from './bgp/route-refresh.ts'

// Routes of every family.
export { decodeEvpnRoute, type EvpnRoute, type RawEvpnRoute } from './bgp/evpn/nlri.ts'
export type { EthernetAdRoute } from './bgp/evpn/route-1-ethernet-ad.ts'
export type { SPmsiRoute } from './bgp/evpn/route-10-s-pmsi.ts'
export type { LeafRoute } from './bgp/evpn/route-11-leaf.ts'
export type { MacIpRoute } from './bgp/evpn/route-2-mac-ip.ts'
export type { InclusiveMulticastRoute } from './bgp/evpn/route-3-inclusive-multicast.ts'
export type { EthernetSegmentRoute } from './bgp/evpn/route-4-ethernet-segment.ts'
export type { IpPrefixRoute } from './bgp/evpn/route-5-ip-prefix.ts'
export type { SmetRoute } from './bgp/evpn/route-6-smet.ts'
export type { MembershipSynchRoute } from './bgp/evpn/route-7-membership-synch.ts'
export type { LeaveSynchRoute } from './bgp/evpn/route-8-leave-synch.ts'
export type { RegionIPmsiRoute } from './bgp/evpn/route-9-region-i-pmsi.ts'
export type { FamilyNlri, FamilyRoute, FamilyRouteBase } from './bgp/families/family.ts'
export type { MulticastAddress } from './bgp/families/multicast.ts'
export type { McastVpnRoute } from './bgp/families/safi-005-mcast-vpn.ts'
export type { BgpAdRoute, VplsRoute } from './bgp/families/safi-065-vpls.ts'
export type { MdtRoute } from './bgp/families/safi-066-mdt.ts'
export type { BgpLsDescriptor, BgpLsName, BgpLsRoute } from './bgp/families/safi-071-bgp-ls.ts'
export type { SrPolicyRoute } from './bgp/families/safi-073-sr-policy.ts'
export type { CarRoute } from './bgp/families/safi-083-car.ts'
export type { MupRoute } from './bgp/families/safi-085-mup.ts'
export type { RtConstraintRoute } from './bgp/families/safi-132-rt-constraint.ts'
export type {
  FlowspecComponent,
  FlowspecRoute,
  FlowspecTest,
} from './bgp/families/safi-133-flowspec.ts'

// Attributes.
export { decodeAttributes, type Attribute, type RawAttribute } from './bgp/attributes/index.ts'
export type { OriginAttribute } from './bgp/attributes/attr-01-origin.ts'
export type { AsPathAttribute, AsPathSegment } from './bgp/attributes/attr-02-as-path.ts'
export type { NextHopAttribute } from './bgp/attributes/attr-03-next-hop.ts'
export type { MedAttribute } from './bgp/attributes/attr-04-med.ts'
export type { LocalPrefAttribute } from './bgp/attributes/attr-05-local-pref.ts'
export type { AtomicAggregateAttribute } from './bgp/attributes/attr-06-atomic-aggregate.ts'
export type { AggregatorAttribute } from './bgp/attributes/attr-07-aggregator.ts'
export type { CommunitiesAttribute } from './bgp/attributes/attr-08-communities.ts'
export type { OriginatorIdAttribute } from './bgp/attributes/attr-09-originator-id.ts'
export type { ClusterListAttribute } from './bgp/attributes/attr-10-cluster-list.ts'
export type { ExtCommunitiesAttribute } from './bgp/attributes/attr-16-ext-communities.ts'
export {
  formatSegments,
  mergeAs4Path,
  type As4PathAttribute,
} from './bgp/attributes/attr-17-as4-path.ts'
export type { As4AggregatorAttribute } from './bgp/attributes/attr-18-as4-aggregator.ts'
export type { ConnectorAttribute } from './bgp/attributes/attr-20-connector.ts'
export type { AsPathLimitAttribute } from './bgp/attributes/attr-21-as-pathlimit.ts'
export type { PmsiTunnelAttribute, PmsiTunnelId } from './bgp/attributes/attr-22-pmsi-tunnel.ts'
export {
  tunnelName,
  type PolicySegment,
  type Tunnel,
  type TunnelEncapsulationAttribute,
  type TunnelSubTlv,
} from './bgp/attributes/attr-23-tunnel-encapsulation.ts'
export type { TrafficEngineeringAttribute } from './bgp/attributes/attr-24-traffic-engineering.ts'
export type {
  Ipv6ExtCommunitiesAttribute,
  Ipv6ExtCommunity,
} from './bgp/attributes/attr-25-ipv6-ext-communities.ts'
export type { AigpAttribute } from './bgp/attributes/attr-26-aigp.ts'
export type { PeDistinguisherLabelsAttribute } from './bgp/attributes/attr-27-pe-distinguisher-labels.ts'
export {
  bgpLsTlvName,
  type BgpLsAttribute,
  type BgpLsTlv,
} from './bgp/attributes/attr-29-bgp-ls.ts'
export type { LargeCommunitiesAttribute } from './bgp/attributes/attr-32-large-communities.ts'
export type { BgpsecPathAttribute } from './bgp/attributes/attr-33-bgpsec-path.ts'
export type { OnlyToCustomerAttribute } from './bgp/attributes/attr-35-only-to-customer.ts'
export type { DPathAttribute, DPathDomain } from './bgp/attributes/attr-36-d-path.ts'
export type { SfpAttribute, SfpTlv } from './bgp/attributes/attr-37-sfp.ts'
export type { BfdDiscriminatorAttribute } from './bgp/attributes/attr-38-bfd-discriminator.ts'
export type { NextHopCharacteristicsAttribute } from './bgp/attributes/attr-39-next-hop-characteristics.ts'
export {
  endpointBehaviorName,
  type PrefixSidAttribute,
  type PrefixSidTlv,
  type SidStructure,
  type Srv6Sid,
} from './bgp/attributes/attr-40-prefix-sid.ts'
export type { BierAttribute } from './bgp/attributes/attr-41-bier.ts'
export type { AttrSetAttribute } from './bgp/attributes/attr-128-attr-set.ts'
export {
  decodeExtCommunity,
  type AdministeredKind,
  type ExtCommunity,
} from './bgp/attributes/ext-community.ts'
export type { RawTlv } from './bgp/attributes/tlvs.ts'

// The hot path: an index of offsets, nothing allocated per route.
export { viewOf } from './cursor.ts'
export {
  PEER_HEADER_OCTETS,
  PEER_TYPE_GLOBAL,
  PEER_TYPE_LOC_RIB,
  PEER_TYPE_LOCAL,
  PEER_TYPE_RD,
  PeerHeader,
  RIBS,
  type Rib,
} from './bmp/peer-header.ts'
export { BMP_BODY_OFFSET, updatePduAt } from './bmp/route-monitoring-pdu.ts'
export { v4CodecOf, v4TableOf } from './bmp/v4-route-monitoring.ts'
export { PeerCodec, type NegotiatingOpen } from './bgp/peer-codec.ts'
export { isEndOfRib, MAX_ERRORS_PER_UPDATE, UpdateIndex } from './bgp/update-index.ts'
export { ACTION_ANNOUNCE, ACTION_WITHDRAW, NlriField, type NlriSink } from './bgp/nlri.ts'
export { countNlri, evpnRouteFits, walkNlri } from './bgp/nlri-walk.ts'
export { fieldPath } from './bgp/nlri-errors.ts'
export { evpnKeyEnd } from './bgp/evpn/multicast.ts'

// Numbers and names.
export {
  BGP_HEADER_OCTETS,
  BGP_KEEPALIVE,
  BGP_NOTIFICATION,
  BGP_OPEN,
  BGP_ROUTE_REFRESH,
  BGP_UPDATE,
  isBgpMarker,
} from './bgp/header.ts'
export {
  AFI_BGP_LS,
  AFI_IPV4,
  AFI_IPV6,
  AFI_L2VPN,
  familyName,
  nlriShape,
  SAFI_CLASSFUL_TRANSPORT,
  SAFI_EVPN,
  SAFI_LABELED,
  SAFI_MULTICAST,
  SAFI_UNICAST,
  SAFI_VPN,
  SAFI_VPN_MULTICAST,
  SHAPE_EVPN,
  SHAPE_FAMILY,
  SHAPE_LABELED,
  SHAPE_OPAQUE,
  SHAPE_PREFIX,
  SHAPE_VPN,
  type NlriShape,
} from './bgp/families.ts'
export {
  ATTR_AGGREGATOR,
  ATTR_AIGP,
  ATTR_AS4_AGGREGATOR,
  ATTR_AS4_PATH,
  ATTR_AS_PATH,
  ATTR_AS_PATHLIMIT,
  ATTR_ATOMIC_AGGREGATE,
  ATTR_ATTR_SET,
  ATTR_BFD_DISCRIMINATOR,
  ATTR_BGP_LS,
  ATTR_BGPSEC_PATH,
  ATTR_BIER,
  ATTR_CLUSTER_LIST,
  ATTR_COMMUNITIES,
  ATTR_CONNECTOR,
  ATTR_D_PATH,
  ATTR_EXT_COMMUNITIES,
  ATTR_IPV6_EXT_COMMUNITIES,
  ATTR_LARGE_COMMUNITIES,
  ATTR_LOCAL_PREF,
  ATTR_MED,
  ATTR_MP_REACH,
  ATTR_MP_UNREACH,
  ATTR_NEXT_HOP,
  ATTR_NEXT_HOP_CHARACTERISTICS,
  ATTR_ONLY_TO_CUSTOMER,
  ATTR_ORIGIN,
  ATTR_ORIGINATOR_ID,
  ATTR_PE_DISTINGUISHER_LABELS,
  ATTR_PMSI_TUNNEL,
  ATTR_PREFIX_SID,
  ATTR_SFP,
  ATTR_TRAFFIC_ENGINEERING,
  ATTR_TUNNEL_ENCAPSULATION,
  ATTRIBUTE_RULES,
  attributeName,
  attributeRule,
  FLAG_EXTENDED_LENGTH,
  FLAG_OPTIONAL,
  FLAG_TRANSITIVE,
  type AttributeRule,
  type LengthRule,
} from './bgp/attribute-rules.ts'

// Text: one definition of how each thing is written.
export { formatCapability } from './text/capabilities.ts'
export { toHex } from './text/hex.ts'
export { formatIP, formatIPv4, formatIPv4Number, formatIPv6, formatPrefix } from './text/ip.ts'
export { formatTimestamp } from './text/time.ts'
export {
  formatAsPath,
  formatCommunity,
  formatDPath,
  formatEsi,
  formatEvpnNlri,
  formatExtCommunity,
  formatLargeCommunity,
  formatMac,
  formatRd,
  labelNumber,
  labelRaw,
  linkBandwidth,
} from './text/values.ts'

// Other inputs: captures, OpenBMP, MRT.
export { DETECT_OCTETS, detectInput, type InputKind } from './capture/detect.ts'
export {
  CaptureReader,
  readCapture,
  type CaptureCounts,
  type CaptureEvents,
  type CapturedStream,
  type StreamEnd,
} from './capture/capture.ts'
export {
  decodeObmp,
  isWholeBmp,
  looksLikeObmp,
  ObmpReader,
  type ObmpFrame,
  type ObmpReaderOptions,
  type OnObmpFrame,
} from './openbmp/openbmp.ts'
export { OBMP_BMP_RAW } from './openbmp/header.ts'
export { encodeObmpHeader, stampObmpHeader, type ObmpHeader } from './openbmp/encode.ts'
export { MrtReader, mrtTypeName, type MrtHeader, type OnMrtRecord } from './mrt/reader.ts'
export { MrtDecoder, type MrtPeer, type MrtRecord, type MrtRibEntry } from './mrt/record.ts'
export { MrtToBmp, type MrtSource, type MrtToBmpEvents } from './mrt/to-bmp.ts'
