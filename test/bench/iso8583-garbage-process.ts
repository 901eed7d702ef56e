/** Prints what measureGarbage() asks for; started by it with the flags it needs. */
import { garbageHere } from "./iso8583-garbage";

process.stdout.write(JSON.stringify(garbageHere()));
