/**
 * Of each block the `kept` greatest magnitudes. Magnitudes of float32 are in the order of their bits, so the least that is taken is found by halving
 * a range of integers, until as many lie above as are wanted.
 */
export function topkEncode(blocks: u32, values: usize, bytes: usize, kept: u32): void {
  for (const end = values + ((<usize>blocks) << 12); values < end; values += 4096, bytes += 6 * kept) {
    let least = 0;
    let tooMuch = greatestBits(values) + 1;
    while (tooMuch - least > 1) {
      const middle = least + ((tooMuch - least) >>> 1);
      const found = countFrom(values, middle);
      if (found < kept) {
        tooMuch = middle;
        continue;
      }
      least = middle;
      if (found === kept) break;
    }
    send(values, bytes, kept, least, kept - countFrom(values, least + 1));
  }
}

/** Writes all above `least`, and the first `ties` of those that are equal to it. */
function send(values: usize, bytes: usize, kept: u32, least: i32, ties: u32): void {
  const leasts = i32x4.splat(least);
  let places = bytes;
  let to = bytes + 2 * kept;
  for (let begin: u32 = 0; begin < 1024; begin += 4) {
    const four = values + begin * 4;
    if (!v128.any_true(i32x4.ge_s(v128.and(v128.load(four), i32x4.splat(0x7fffffff)), leasts))) continue;
    for (let lane: u32 = 0; lane < 4; lane++) {
      const bits = load<i32>(four + lane * 4);
      const magnitude = bits & 0x7fffffff;
      if (magnitude < least) continue;
      if (magnitude === least) {
        if (ties === 0) continue;
        ties--;
      }
      store<u16>(places, <u16>(begin + lane));
      store<i32>(to, bits);
      store<i32>(four + lane * 4, 0);
      places += 2;
      to += 4;
    }
  }
}

function greatestBits(values: usize): i32 {
  let greatest = i32x4.splat(0);
  for (const end = values + 4096; values < end; values += 16) {
    greatest = i32x4.max_s(greatest, v128.and(v128.load(values), i32x4.splat(0x7fffffff)));
  }
  return max(
    max(i32x4.extract_lane(greatest, 0), i32x4.extract_lane(greatest, 1)),
    max(i32x4.extract_lane(greatest, 2), i32x4.extract_lane(greatest, 3)),
  );
}

/** How many magnitudes of the block have at least these bits. */
function countFrom(values: usize, least: i32): u32 {
  const leasts = i32x4.splat(least);
  let counts = i32x4.splat(0);
  for (const end = values + 4096; values < end; values += 16) {
    const magnitudes = v128.and(v128.load(values), i32x4.splat(0x7fffffff));
    // True is -1.
    counts = i32x4.sub(counts, i32x4.ge_s(magnitudes, leasts));
  }
  return (
    i32x4.extract_lane(counts, 0) +
    i32x4.extract_lane(counts, 1) +
    i32x4.extract_lane(counts, 2) +
    i32x4.extract_lane(counts, 3)
  );
}

export function topkDecode(blocks: u32, values: usize, bytes: usize, kept: u32): bool {
  for (const end = values + ((<usize>blocks) << 12); values < end; values += 4096, bytes += 6 * kept) {
    memory.fill(values, 0, 4096);
    let last = -1;
    for (let index: u32 = 0; index < kept; index++) {
      const place = <i32>load<u16>(bytes + index * 2);
      if (place <= last || place >= 1024) return false;
      store<i32>(values + place * 4, load<i32>(bytes + 2 * kept + index * 4));
      last = place;
    }
  }
  return true;
}
