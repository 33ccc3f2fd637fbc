/**
 * A public log as a condition for sending: the code that a node runs must stand in it.
 *
 * @module
 */
export { type LoggedMeasurement, type LogSource, requireLogged } from './require-logged.js'
export { type TiledLogOptions, tiledLogSource } from './tiled-log-source.js'
