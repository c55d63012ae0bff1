package queuestorage

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"net/url"
	"os"
	"strconv"
	"strings"
)

const (
	// magic starts every file, with the version of its form.
	magic = "odi1"
	// headerSize is that of the magic, the checksum and the length.
	headerSize = int64(len(magic) + crc32.Size + 4)
	// block is what the smallest file takes on the disk.
	block = 4096
	// longestFolder is below what file systems take, with room for a digest.
	longestFolder = 180

	// folderPrefix keeps the queues apart from what else may lie beside them.
	folderPrefix = "of-"
	itemPrefix   = "item-"
	// accountingKey is the exporter's: which of its items come next.
	accountingKey = "qmv0"
	accounting    = itemPrefix + accountingKey
	fileMode      = 0o600
)

// errDamaged says that a file is not what was written.
var errDamaged = errors.New("its checksum does not fit")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// onDisk is what so many bytes take.
func onDisk(size int64) int64 { return (size + block - 1) / block * block }

// fileName is the name of a key's file; no key can name a place outside of its folder.
func fileName(key string) string { return itemPrefix + url.PathEscape(key) }

func isItem(file string) bool { return strings.HasPrefix(file, itemPrefix) }

// indexOf is the place in the queue of an item's file; false for the accounting.
func indexOf(file string) (uint64, bool) {
	index, err := strconv.ParseUint(strings.TrimPrefix(file, itemPrefix), 10, 64)
	return index, err == nil
}

// folderName is that of an exporter's queue for a signal.
func folderName(id, signal string) string {
	whole := id + "/" + signal
	name := folderPrefix + url.PathEscape(whole)
	if len(name) > longestFolder {
		sum := sha256.Sum256([]byte(whole))
		name = name[:longestFolder-2*len(sum)] + hex.EncodeToString(sum[:])
	}
	return name
}

// writeItem does not wait for the disk: a crash of the process loses nothing, a
// power cut what the system had not written yet, and the checksum tells.
func writeItem(path string, value []byte) error {
	return write(path, os.O_TRUNC, value)
}

// overwrite changes a file where it is. To replace it would have file systems
// write the new one to the disk at once, for every item that comes or goes.
func overwrite(path string, value []byte) error {
	return write(path, 0, value)
}

func write(path string, flag int, value []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flag, fileMode)
	if err != nil {
		return err
	}
	header := binary.LittleEndian.AppendUint32([]byte(magic), crc32.Checksum(value, castagnoli))
	header = binary.LittleEndian.AppendUint32(header, uint32(len(value)))
	if len(value) < block {
		header, value = append(header, value...), nil // In one piece.
	}
	_, err = file.Write(header)
	if err == nil && len(value) > 0 {
		_, err = file.Write(value)
	}
	return errors.Join(err, file.Close())
}

func readItem(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if int64(len(content)) < headerSize || string(content[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: %d bytes without a header", errDamaged, len(content))
	}
	header, value := content[len(magic):headerSize], content[headerSize:]
	length := int64(binary.LittleEndian.Uint32(header[crc32.Size:]))
	if length > int64(len(value)) {
		return nil, fmt.Errorf("%w: %d of %d bytes", errDamaged, len(value), length)
	}
	value = value[:length]
	if crc32.Checksum(value, castagnoli) != binary.LittleEndian.Uint32(header) {
		return nil, errDamaged
	}
	return value, nil
}
