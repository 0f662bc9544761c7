import { hostname } from 'node:os';

/** How others reach a server bound to `address`: as it says, unless it says "every interface"; then by this machine's name. */
export function advertisedAddress(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\]):/, `${hostname()}:`);
}
