/** A sample of an activity file (GPX, TCX, FIT): one moment, in one set of units whatever the format. */
export interface ActivitySample {
  /** Instant in UTC, `YYYY-MM-DDThh:mm:ss[.f]Z`; null where the file has none. */
  readonly time: string | null
  /** Degrees, WGS 84. */
  readonly latitude: number | null
  /** Degrees, WGS 84. */
  readonly longitude: number | null
  /** Metres. */
  readonly altitude: number | null
  /** Metres from the start. */
  readonly distance: number | null
  /** Beats per minute. */
  readonly heartRate: number | null
  /** Revolutions (steps, for runners) per minute. */
  readonly cadence: number | null
  /** Watts. */
  readonly power: number | null
  /** Degrees Celsius. */
  readonly temperature: number | null
  /** Metres per second. */
  readonly speed: number | null
  /** The activity's kind as the file names it, lower case; null where it does not. */
  readonly sport: string | null
  /** Number of the activity (track, activity, session) in its file, from 0. */
  readonly activity: number
}

/** A part of a workout (`WorkoutActivity`, iOS 16 and later): a step of an interval training, a sport of a triathlon. */
export interface WorkoutPart {
  /** Instants in UTC. */
  readonly start: string | null
  readonly end: string | null
  /** All other attributes by name, as text, with the part's totals as a workout has them. */
  readonly attributes: { readonly [name: string]: string }
}

/** An element of an Apple Health export. */
export interface HealthRecord {
  readonly kind: 'record' | 'workout' | 'activity-summary'
  /** For example `HKQuantityTypeIdentifierHeartRate`, `HKWorkoutActivityTypeRunning`; null for summaries. */
  readonly type: string | null
  readonly unit: string | null
  /** As the export writes it. */
  readonly value: string | null
  /** Instants in UTC. */
  readonly start: string | null
  readonly end: string | null
  readonly source: string | null
  /** All other attributes by name, as text; a workout's totals also where the export writes them as `WorkoutStatistics`. */
  readonly attributes: { readonly [name: string]: string }
  /** The parts of a workout in the export's order, where it has some; what they tell is in the workout's own totals already. */
  readonly parts?: readonly WorkoutPart[]
}

/** A message of a mailbox. Addresses are as written; hash or coarsen them in the mapping. */
export interface MailMessage {
  /** Value of the header of that name in lower case, first occurrence, decoded. */
  readonly headers: { readonly [name: string]: string }
  readonly from: string | null
  readonly to: readonly string[]
  readonly cc: readonly string[]
  readonly subject: string | null
  /** Instant in UTC; null when the header is absent or no date. */
  readonly date: string | null
  readonly messageId: string | null
  readonly inReplyTo: string | null
  /** The text part, decoded; without the text of forwarded messages, which are attachments. */
  readonly text: string
  readonly attachments: readonly { readonly mediaType: string; readonly bytes: number }[]
  /** Bytes of the whole message. */
  readonly bytes: number
}

/** A file of an archive or a folder. */
export interface ArchiveFile {
  /** Path inside the archive, `/` between parts. */
  readonly path: string
  /** The format it was read as; null when no reader knows it, then `records` is empty. */
  readonly format: string | null
  readonly bytes: number
  /** What the format's reader gave: rows, samples, messages, or one document. */
  readonly records: readonly JsonValue[]
}

/** Any JSON value. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }
