import { formatPemCertificates } from '@sealpool/attest'
import {
  amdRequest,
  cachedCollateral,
  intelRequest,
  networkCollateral,
} from '@sealpool/attest/collateral-source'
import type { Simulator } from '@sealpool/attest/simulator'
import { encodeHex } from '@sealpool/crypto'
import type { ThresholdKey } from '@sealpool/crypto/threshold'
import { configDigest, type NodeConfig } from '../config/node-config.js'
import { kernelTsmEntries, tsmQuoteProvider } from '../evidence/configfs-tsm.js'
import { dstackAgent, dstackQuoteProvider } from '../evidence/dstack-agent.js'
import { dstackGpus, type RecordedGpus } from '../evidence/dstack-gpus.js'
import { nvidiaDriver, runProgram } from '../evidence/nvidia-driver.js'
import { type QuoteProvider, teeOf } from '../evidence/quote-provider.js'
import {
  confidentialMode,
  gpuServiceOf,
  type SimulatedGpus,
  simulatedGpus,
} from '../evidence/simulated-gpus.js'
import {
  openSimulator,
  simulatedPlatform,
  simulatorQuoteProvider,
} from '../evidence/simulator-quote-provider.js'
import { developmentKeyRelease } from '../key/development-key-release.js'
import { dstackKeyRelease } from '../key/dstack-key-release.js'
import { brokerKeyRelease } from '../key/key-broker.js'
import type { KeyRelease } from '../key/key-release.js'
import { peersKeyRelease, rootLabel } from '../key/peers-key-release.js'
import { sealedKeyRelease } from '../key/sealed-key-release.js'
import { simulatedSealer } from '../key/simulated-sealer.js'
import { platformNow, platformRandom } from '../platform.js'

/** Milliseconds for one answer of the machine's own agents. */
const agentTimeoutMs = 30_000

/** What stands behind the node on this machine. */
export interface Platform {
  readonly quotes: QuoteProvider
  readonly keyRelease: KeyRelease
}

/** Opens what the settings name. Nothing is asked of it yet. */
export function openPlatform(config: NodeConfig): Platform {
  const agent = dstackAgent({ socketPath: config.machine.dstackSocket, timeoutMs: agentTimeoutMs })
  const quotes = quotesOf(config, agent)
  return { quotes, keyRelease: keyReleaseOf(config, quotes, agent) }
}

function keyReleaseOf(
  config: NodeConfig,
  quotes: QuoteProvider,
  agent: ReturnType<typeof dstackAgent>,
): KeyRelease {
  const { keyRelease, dataDirectory, chain } = config
  const broker = { quotes, timeoutMs: agentTimeoutMs }
  switch (keyRelease.adapter) {
    case 'development':
      return developmentKeyRelease({ directory: dataDirectory })
    case 'dstack':
      return dstackKeyRelease(agent)
    case 'key-broker': {
      const { url, resource, root } = keyRelease
      return brokerKeyRelease({ ...broker, url, resource, root })
    }
    case 'peers': {
      const { peers, key, envelope } = keyRelease
      return peersKeyRelease({
        ...broker,
        member: { config: configDigest(config), collateral: (quote) => quotes.collateral(quote) },
        peers,
        // Read strictly where it is used.
        key: key as unknown as ThresholdKey,
        envelope,
        label: rootLabel(chain.deployment),
      })
    }
    case 'sealed': {
      const at = new Date(platformNow() * 1000)
      const simulator = openSimulator({ directory: dataDirectory, random: platformRandom, at })
      const { measurement } = simulatedPlatform(
        simulator,
        config.evidence.image,
        simulatedGpusOf(config, simulator, () => at),
      )
      const sealer = simulatedSealer({ directory: dataDirectory, measurement, random: platformRandom })
      return sealedKeyRelease({
        directory: dataDirectory,
        sealer,
        random: platformRandom,
        recovery: config.keyRecovery,
      })
    }
  }
}

function quotesOf(config: NodeConfig, agent: ReturnType<typeof dstackAgent>): QuoteProvider {
  const { machine } = config
  if (config.evidence.provider === 'simulator') {
    const now = () => new Date(platformNow() * 1000)
    const simulator = openSimulator({ directory: config.dataDirectory, random: platformRandom, at: now() })
    return simulatorQuoteProvider(
      simulator,
      now,
      config.evidence.image,
      simulatedGpusOf(config, simulator, now),
    )
  }
  const { collateralUrl } = machine
  const source = cachedCollateral(
    networkCollateral(
      collateralUrl === null
        ? {}
        : { pcs: { baseUrl: collateralUrl, rootCrlUrl: `${collateralUrl}/sgx/certification/v4/rootcacrl` } },
    ),
  )
  const collateral: QuoteProvider['collateral'] = async (quote) => {
    if (teeOf(quote) === 'tdx') return source.intel(intelRequest(quote))
    const { certificates, crl } = await source.amd(amdRequest(quote))
    return { certificates: formatPemCertificates(certificates), crl: encodeHex(crl) }
  }
  return config.evidence.provider === 'dstack'
    ? dstackQuoteProvider(agent, collateral, gpusOf(config, agent))
    : tsmQuoteProvider(kernelTsmEntries(machine.tsmFolder), collateral)
}

/** Milliseconds for what asks NVIDIA's service. */
const gpuTimeoutMs = 45_000

/** @returns the GPUs of a dstack guest; undefined when the settings name none */
function gpusOf(
  { evidence, machine }: NodeConfig,
  agent: ReturnType<typeof dstackAgent>,
): RecordedGpus | undefined {
  if (evidence.gpus === undefined) return undefined
  return dstackGpus(agent, nvidiaDriver(machine, runProgram(gpuTimeoutMs)), evidence.gpus.devices)
}

/** @returns the GPUs of a simulated guest; undefined when the settings name none */
function simulatedGpusOf(
  { evidence }: NodeConfig,
  simulator: Simulator,
  now: () => Date,
): SimulatedGpus | undefined {
  if (evidence.gpus === undefined) return undefined
  return simulatedGpus(gpuServiceOf(simulator), [confidentialMode(evidence.gpus.devices)], now)
}
