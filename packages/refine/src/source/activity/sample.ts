import type { ActivitySample } from '../../define/record-types.js'

/** A sample that can still be filled. */
export type OpenSample = { -readonly [Name in keyof ActivitySample]: ActivitySample[Name] }

/**
 * A sample without any value.
 *
 * @param activity - number of the activity in its file
 * @param sport - its kind, or null
 * @returns the sample
 */
export function emptySample(activity: number, sport: string | null): OpenSample {
  return {
    time: null,
    latitude: null,
    longitude: null,
    altitude: null,
    distance: null,
    heartRate: null,
    cadence: null,
    power: null,
    temperature: null,
    speed: null,
    sport,
    activity,
  }
}

/**
 * A number as an export writes it.
 *
 * @param text - decimal text
 * @returns the number, or undefined when the text is none
 */
export function numberText(text: string): number | undefined {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/.test(text) && Number.isFinite(Number(text))
    ? Number(text)
    : undefined
}
