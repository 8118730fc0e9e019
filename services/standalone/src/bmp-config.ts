/** What fabric.yaml says about the BMP listener, the same for `up` and `collector`. */
import type { BmpServerConfig } from '@ribscope/collector'
import type { FabricConfig } from '@ribscope/fabric'

export function bmpOf(
  config: FabricConfig,
): Pick<BmpServerConfig, 'allow' | 'routerAddresses' | 'maxSessionOctets' | 'maxTotalOctets'> {
  return {
    // A table that arrives fast goes into few large inserts: those of 64,000 rows cost the store twice as much.
    maxSessionOctets: 64 << 20,
    maxTotalOctets: 256 << 20,
    ...(config.bmp.allow === undefined ? {} : { allow: config.bmp.allow }),
    routerAddresses: new Map(
      config.routers.flatMap(({ name, address }) =>
        address === undefined ? [] : [[name, address] as const],
      ),
    ),
  }
}
