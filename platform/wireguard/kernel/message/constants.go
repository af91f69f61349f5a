package message

// include/uapi/linux/netlink.h.
const (
	headerSize = 16 // struct nlmsghdr: length u32, type u16, flags u16, sequence u32, port u32
	attrSize   = 4  // struct nlattr: length u16, type u16
	align      = 4  // NLMSG_ALIGNTO, NLA_ALIGNTO

	typeError = 2  // NLMSG_ERROR, with errno 0 an acknowledgement
	typeDone  = 3  // NLMSG_DONE
	typeMin   = 16 // NLMSG_MIN_TYPE; types below are netlink's own

	flagRequest     = 0x1
	flagAck         = 0x4
	flagInterrupted = 0x10 // NLM_F_DUMP_INTR
	flagDump        = 0x300
	flagExclusive   = 0x200 // NLM_F_EXCL
	flagCreate      = 0x400

	flagCapped  = 0x100 // NLM_F_CAPPED, of an answer: without the request's payload
	flagAckTLVs = 0x200 // NLM_F_ACK_TLVS, of an answer: attributes follow

	attrMessageText = 1 // NLMSGERR_ATTR_MSG

	nested   = 0x8000 // NLA_F_NESTED
	typeMask = 0x3fff // NLA_TYPE_MASK
)

// include/uapi/linux/genetlink.h.
const (
	genericSize = 4 // struct genlmsghdr: command u8, version u8, reserved u16

	familyControl  = 16 // GENL_ID_CTRL
	cmdGetFamily   = 3  // CTRL_CMD_GETFAMILY
	attrFamilyID   = 1  // CTRL_ATTR_FAMILY_ID, u16
	attrFamilyName = 2  // CTRL_ATTR_FAMILY_NAME
)

// include/uapi/linux/wireguard.h.
const (
	version = 1

	cmdGetDevice = 0
	cmdSetDevice = 1

	deviceIndex      = 1 // u32
	devicePrivateKey = 3
	deviceFlags      = 5 // u32
	deviceListenPort = 6 // u16
	deviceFwMark     = 7 // u32
	devicePeers      = 8 // nest of nests

	deviceReplacePeers = 1

	peerPublicKey     = 1
	peerFlags         = 3 // u32
	peerEndpoint      = 4 // struct sockaddr_in or sockaddr_in6
	peerKeepalive     = 5 // u16, seconds
	peerLastHandshake = 6 // struct __kernel_timespec: 2 × s64
	peerRx            = 7 // u64
	peerTx            = 8 // u64
	peerAllowedIPs    = 9 // nest of nests

	peerRemove            = 1
	peerReplaceAllowedIPs = 2
	peerUpdateOnly        = 4

	allowedFamily  = 1 // u16
	allowedAddress = 2
	allowedBits    = 3 // u8
)

// include/uapi/linux/rtnetlink.h and if_link.h.
const (
	newLink = 16
	delLink = 17
	getLink = 18

	linkSize = 16 // struct ifinfomsg: family u8, pad u8, type u16, index s32, flags u32, change u32

	linkName       = 3 // IFLA_IFNAME
	linkMTU        = 4 // u32
	linkInfo       = 18
	linkInfoKind   = 1
	linkExtMask    = 29     // u32
	skipStatistics = 1 << 3 // RTEXT_FILTER_SKIP_STATS
)

// Address families and their socket addresses (socket.h, in.h, in6.h).
const (
	afINET  = 2
	afINET6 = 10

	sockaddr4Size = 16 // family, port, address, 8 zeros
	sockaddr6Size = 28 // family, port, flow, address, scope
)
