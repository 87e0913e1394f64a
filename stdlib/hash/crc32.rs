//! Natives of packages hash/crc32, hash/crc64, hash/adler32 and hash/fnv.

use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "hash/crc32.update" "func(uint32, []uint32, bool, []uint8) uint32" => |c| {
        let (crc, table, ieee, p) = (c.uint() as u32, c.slice(), c.bool(), c.bytes());
        let data = c.bytes_of(p);
        let crc = if ieee {
            let mut hasher = crc32fast::Hasher::new_with_initial(crc);
            hasher.update(data);
            hasher.finalize()
        } else {
            let table = c.plain_of::<u32>(table);
            !data.iter().fold(!crc, |crc, b| table[(crc as u8 ^ b) as usize] ^ crc >> 8)
        };
        c.ret_uint(crc.into());
    };
    "hash/crc64.update" "func(uint64, []uint64, []uint8) uint64" => |c| {
        let (crc, table, p) = (c.uint(), c.slice(), c.bytes());
        let table = c.plain_of::<u64>(table);
        let crc = !c.bytes_of(p).iter().fold(!crc, |crc, b| table[(crc as u8 ^ b) as usize] ^ crc >> 8);
        c.ret_uint(crc);
    };
    "hash/adler32.update" "func(uint32, []uint8) uint32" => |c| {
        let (sum, p) = (c.uint() as u32, c.bytes());
        let (mut a, mut b) = (sum & 0xffff, sum >> 16);
        // So many bytes cannot overflow the sums.
        for part in c.bytes_of(p).chunks(5552) {
            for byte in part {
                a += u32::from(*byte);
                b += a;
            }
            a %= 65521;
            b %= 65521;
        }
        c.ret_uint((b << 16 | a).into());
    };
    // FNV-1, or FNV-1a when the byte comes first.
    "hash/fnv.update32" "func(uint32, []uint8, bool) uint32" => |c| {
        let (hash, p, first) = (c.uint() as u32, c.bytes(), c.bool());
        let step = |h: u32| h.wrapping_mul(0x0100_0193);
        let hash = c.bytes_of(p).iter().fold(hash, |h, b| {
            if first { step(h ^ u32::from(*b)) } else { step(h) ^ u32::from(*b) }
        });
        c.ret_uint(hash.into());
    };
    "hash/fnv.update64" "func(uint64, []uint8, bool) uint64" => |c| {
        let (hash, p, first) = (c.uint(), c.bytes(), c.bool());
        let step = |h: u64| h.wrapping_mul(0x0100_0000_01b3);
        let hash = c.bytes_of(p).iter().fold(hash, |h, b| {
            if first { step(h ^ u64::from(*b)) } else { step(h) ^ u64::from(*b) }
        });
        c.ret_uint(hash);
    };
    "hash/fnv.update128" "func(uint64, uint64, []uint8, bool) (uint64, uint64)" => |c| {
        let hash = u128::from(c.uint()) << 64 | u128::from(c.uint());
        let (p, first) = (c.bytes(), c.bool());
        let step = |h: u128| h.wrapping_mul(0x0100_0000_0000_0000_0000_013b);
        let hash = c.bytes_of(p).iter().fold(hash, |h, b| {
            if first { step(h ^ u128::from(*b)) } else { step(h) ^ u128::from(*b) }
        });
        c.ret_uint((hash >> 64) as u64);
        c.ret_uint(hash as u64);
    };
};
