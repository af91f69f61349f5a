package table

// Operation is what every implementation is asked to do.
type Operation struct {
	Name  string
	Size  int // peers the interface has, 1 more after Add and 1 less after Remove
	Verb  Verb
	Count int // peers that are written or read
}

// Verb is what is done to peers.
type Verb int

// The verbs.
const (
	Read        Verb = iota // everything there is to know of the interface and all its peers
	SetEndpoint             // of peers that exist, and nothing else
	Update                  // of peers that exist, endpoint and allowed IPs; those that others had move, the rest stays
	Replace                 // Update, and the peers' other allowed IPs go
	Add                     // peers with endpoint, keepalive and allowed IPs
	Remove                  // peers
)

// The operations that the product's promises are about.
const (
	Update100 = "update 100 peers"
	Read1000  = "read 1,000 peers"
)

// Catalogue is all that is compared.
func Catalogue() []Operation {
	return []Operation{
		{"set one endpoint", 1000, SetEndpoint, 1},
		{"add one peer", 1000, Add, 1},
		{"remove one peer", 1000, Remove, 1},
		{Update100, 1000, Update, 100},
		{"update 100 peers, replacing allowed IPs", 1000, Replace, 100},
		{"update 1,000 peers", 1000, Update, 1000},
		{"read 10 peers", 10, Read, 10},
		{"read 100 peers", 100, Read, 100},
		{Read1000, 1000, Read, 1000},
		{"read 10,000 peers", 10000, Read, 10000},
	}
}
