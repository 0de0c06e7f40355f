//! Transactions as blocks (TAP 1.8 §3, step 8, and §5).

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
/// The block ends with a field, the transaction goes on.
const ETB: u8 = 0x17;
/// The field goes on in the next block.
const US: u8 = 0x1f;
const CR: u8 = b'\r';

/// What of a block is not its frame: 256 characters with that, its checksum and its carriage return.
const MAX_CONTENT: usize = 250;

/// The blocks of one transaction: the pager, and the message.
pub fn blocks(pager: &str, message: &str) -> Vec<Vec<u8>> {
    let mut content = Vec::with_capacity(pager.len() + message.len() + 2);
    for field in [pager, message] {
        content.extend(field.bytes().map(|b| if (b' '..=b'~').contains(&b) { b } else { b' ' }));
        content.push(CR);
    }
    let count = content.len().div_ceil(MAX_CONTENT);
    let frame = |(n, piece): (usize, &[u8])| {
        let end = match piece.last() {
            _ if n + 1 == count => ETX,
            Some(&CR) => ETB,
            _ => US,
        };
        let mut block = vec![STX];
        block.extend_from_slice(piece);
        block.push(end);
        let sum = checksum(&block);
        block.extend_from_slice(&sum);
        block.push(CR);
        block
    };
    content.chunks(MAX_CONTENT).enumerate().map(frame).collect()
}

/// The sum of all characters from STX to the one that ends the block, as three characters of four bits each.
pub fn checksum(block: &[u8]) -> [u8; 3] {
    let sum: u32 = block.iter().map(|b| u32::from(b & 0x7f)).sum();
    [8, 4, 0].map(|shift| b'0' + u8::try_from((sum >> shift) & 0xf).expect("four bits fit"))
}
