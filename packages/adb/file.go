package adb

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
)

// Schema says what a file's tree is of.
type Schema uint32

// The schemas.
const (
	Package Schema = 0x676b6370 // "pckg"
	Index   Schema = 0x78646e69 // "indx"
)

// The kinds of blocks, in the upper two bits of a block's first word.
const (
	blockTree      = 0
	blockSignature = 1
	blockData      = 2
)

// blockAlign is what blocks are padded to.
const blockAlign = 8

// File is a file: its tree, and what follows.
type File struct {
	Schema Schema
	Tree   []byte
	Data   []Data
	Key    *Key // signs the tree; nil: it is not signed
}

// Data is the content of one file of a package, by its place in the tree: the
// number of its directory, and its own in there, both counted from 1.
type Data struct {
	Dir, File uint32
	Content   []byte
}

// WriteTo writes the file, compressed.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	var out bytes.Buffer
	out.WriteString("ADBd")
	z, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return 0, err
	}
	raw, err := f.raw()
	if err != nil {
		return 0, err
	}
	if _, err := z.Write(raw); err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	return out.WriteTo(w)
}

func (f *File) raw() ([]byte, error) {
	b := binary.LittleEndian.AppendUint32([]byte("ADB."), uint32(f.Schema))
	b = appendBlock(b, blockTree, f.Tree)
	if f.Key != nil {
		signature, err := f.Key.sign(f.Schema, f.Tree)
		if err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		b = appendBlock(b, blockSignature, signature)
	}
	for _, d := range f.Data {
		head := binary.LittleEndian.AppendUint32(nil, d.Dir)
		head = binary.LittleEndian.AppendUint32(head, d.File)
		b = appendBlock(b, blockData, append(head, d.Content...))
	}
	return b, nil
}

func appendBlock(b []byte, kind uint32, content []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, kind<<30|uint32(len(content)+4))
	return pad(append(b, content...), blockAlign)
}

// Key is a private key to sign with: ECDSA, as OpenWrt's are, or RSA.
type Key struct {
	signer crypto.Signer
	id     [16]byte // of the public key, by which verifiers find theirs
}

// ParseKey reads a private key in PEM.
func ParseKey(text []byte) (*Key, error) {
	block, rest := pem.Decode(text)
	for block != nil && block.Type == "EC PARAMETERS" { // OpenSSL writes them before the key
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("there is no private key in PEM")
	}
	signer, err := parsePrivate(block.Bytes)
	if err != nil {
		return nil, err
	}
	public, err := publicBytes(signer.Public())
	if err != nil {
		return nil, err
	}
	k := &Key{signer: signer}
	sum := sha512.Sum512(public)
	copy(k.id[:], sum[:])
	return k, nil
}

func parsePrivate(der []byte) (crypto.Signer, error) {
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("neither an EC nor an RSA private key: %w", err)
	}
	signer, ok := k.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", k)
	}
	return signer, nil
}

// publicBytes is a public key as its id is made of it: an EC point uncompressed,
// an RSA key by PKCS #1.
func publicBytes(k crypto.PublicKey) ([]byte, error) {
	switch k := k.(type) {
	case *ecdsa.PublicKey:
		return k.Bytes()
	case *rsa.PublicKey:
		return x509.MarshalPKCS1PublicKey(k), nil
	}
	return nil, fmt.Errorf("keys of type %T are not in use: want ECDSA or RSA", k)
}

// digestSHA512 is apk-tools' number for SHA-512.
const digestSHA512 = 4

// sign returns a signature of version 0. It is the same every time: packages
// are to be reproducible.
func (k *Key) sign(s Schema, tree []byte) ([]byte, error) {
	head := append([]byte{0, digestSHA512}, k.id[:]...)
	sum := sha512.Sum512(tree)
	signed := binary.LittleEndian.AppendUint32(nil, uint32(s))
	signed = append(append(signed, head...), sum[:]...)
	digest := sha512.Sum512(signed)
	signature, err := k.signer.Sign(nil, digest[:], crypto.SHA512)
	if err != nil {
		return nil, err
	}
	return append(head, signature...), nil
}
